package io.vdisk.testkit.toy;

class RefcountedModelTest extends ToyModel {
  RefcountedModelTest() {
    super(RefcountedTest.SUBJECT);
  }
}
