package io.vdisk.testkit.toy;

import io.vdisk.testkit.CrashContract;
import io.vdisk.testkit.Subject;

class SectoredCrashTest extends CrashContract {
  @Override
  protected Subject subject() {
    return SectoredTest.SUBJECT;
  }
}
