package io.vdisk.testkit.toy;

import io.vdisk.testkit.CrashContract;
import io.vdisk.testkit.Subject;

class EncryptedCrashTest extends CrashContract {
  @Override
  protected Subject subject() {
    return EncryptedTest.SUBJECT;
  }
}
