package io.vdisk.testkit.toy;

class FlatModelTest extends ToyModel {
  FlatModelTest() {
    super(FlatTest.SUBJECT);
  }
}
