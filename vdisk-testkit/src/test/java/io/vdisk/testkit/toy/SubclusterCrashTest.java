package io.vdisk.testkit.toy;

import io.vdisk.testkit.CrashContract;
import io.vdisk.testkit.Subject;

class SubclusterCrashTest extends CrashContract {
  @Override
  protected Subject subject() {
    return SubclusterTest.SUBJECT;
  }
}
