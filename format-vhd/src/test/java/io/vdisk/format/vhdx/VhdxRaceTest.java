package io.vdisk.format.vhdx;

import io.vdisk.testkit.RaceContract;
import io.vdisk.testkit.Subject;
import org.junit.jupiter.api.Nested;

/** VHDX under the contract of races. */
class VhdxRaceTest {
  @Nested
  class Dynamic extends RaceContract {
    @Override
    protected Subject subject() {
      return new VhdxSubject("dynamic", "512", false);
    }
  }

  @Nested
  class Fixed extends RaceContract {
    @Override
    protected Subject subject() {
      return new VhdxSubject("fixed", "512", true);
    }
  }
}
