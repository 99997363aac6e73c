package io.vdisk.testkit.toy;

class SubclusterModelTest extends ToyModel {
  SubclusterModelTest() {
    super(SubclusterTest.SUBJECT);
  }
}
