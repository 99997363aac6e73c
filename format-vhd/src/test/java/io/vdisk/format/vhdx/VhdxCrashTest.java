package io.vdisk.format.vhdx;

import io.vdisk.testkit.CrashContract;
import io.vdisk.testkit.Subject;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;

/** VHDX under the contract of power cuts; every other history is that of a differencing disk. */
@Timeout(3600)
class VhdxCrashTest {
  @Nested
  class Dynamic extends CrashContract {
    @Override
    protected Subject subject() {
      return new VhdxSubject("dynamic", "512", true);
    }
  }

  /** Blocks of a new disk are "not present". */
  @Nested
  class LargeSectors extends CrashContract {
    @Override
    protected Subject subject() {
      return new VhdxSubject("dynamic", "4096", false);
    }
  }

  @Nested
  class Fixed extends CrashContract {
    @Override
    protected Subject subject() {
      return new VhdxSubject("fixed", "512", true);
    }
  }
}
