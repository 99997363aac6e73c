package io.vdisk.testkit.toy;

class EncryptedModelTest extends ToyModel {
  EncryptedModelTest() {
    super(EncryptedTest.SUBJECT);
  }
}
