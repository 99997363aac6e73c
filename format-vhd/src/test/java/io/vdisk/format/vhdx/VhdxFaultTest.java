package io.vdisk.format.vhdx;

import io.vdisk.testkit.FaultContract;
import io.vdisk.testkit.Subject;
import org.junit.jupiter.api.Nested;

/** VHDX under the contract of faults. */
class VhdxFaultTest {
  @Nested
  class Dynamic extends FaultContract {
    @Override
    protected Subject subject() {
      return new VhdxSubject("dynamic", "512", true);
    }
  }

  @Nested
  class Fixed extends FaultContract {
    @Override
    protected Subject subject() {
      return new VhdxSubject("fixed", "4096", true);
    }

    @Override
    protected int histories() {
      return 2;
    }
  }
}
