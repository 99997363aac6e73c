package io.vdisk.testkit.toy;

class SectoredTest extends ToyContracts {
  static final ToySubject SUBJECT = new ToySubject(new SectoredFormat(), 1, (2 << 20) + 700);

  @Override
  ToySubject subject() {
    return SUBJECT;
  }

  @Override
  int granule() {
    return SectoredFormat.SECTOR;
  }
}
