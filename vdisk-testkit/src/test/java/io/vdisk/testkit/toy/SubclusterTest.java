package io.vdisk.testkit.toy;

class SubclusterTest extends ToyContracts {
  static final ToySubject SUBJECT = new ToySubject(new SubclusterFormat(), 1, (2 << 20) + 700);

  @Override
  ToySubject subject() {
    return SUBJECT;
  }

  @Override
  int granule() {
    return SubclusterFormat.SUBCLUSTER;
  }
}
