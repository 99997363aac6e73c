package io.vdisk.testkit.toy;

class RefcountedTest extends ToyContracts {
  static final ToySubject SUBJECT = new ToySubject(new RefcountedFormat(), 1, (3 << 20) + 700);

  @Override
  ToySubject subject() {
    return SUBJECT;
  }
}
