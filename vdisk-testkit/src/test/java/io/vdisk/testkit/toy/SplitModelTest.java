package io.vdisk.testkit.toy;

class SplitModelTest extends ToyModel {
  SplitModelTest() {
    super(SplitTest.SUBJECT);
  }
}
