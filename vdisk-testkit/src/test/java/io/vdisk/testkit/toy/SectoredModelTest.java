package io.vdisk.testkit.toy;

class SectoredModelTest extends ToyModel {
  SectoredModelTest() {
    super(SectoredTest.SUBJECT);
  }
}
