package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.testkit.UnitTableFormat.Flaw;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A sound layout passes the contract, and each flawed one fails it. */
class RaceContractTest {
  @Nested
  class OneFile extends RaceContract {
    @Override
    protected Subject subject() {
      return new UnitTableFormat(1, Flaw.NONE);
    }
  }

  @Nested
  class TableAndDataInTwoFiles extends RaceContract {
    @Override
    protected Subject subject() {
      return new UnitTableFormat(2, Flaw.NONE);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"COMMIT_BEFORE_DATA", "FREED_SPACE_IS_REUSED_AT_ONCE"})
  void flawIsSeen(Flaw flaw) {
    AssertionError failure =
        assertThrows(
            AssertionError.class,
            () -> RaceContract.run(() -> new UnitTableFormat(1, flaw), flaw.name(), 400_000));
    assertTrue(failure.getMessage().startsWith("seed "), failure.getMessage());
    System.out.println(flaw + ": " + failure.getMessage());
  }

  @Test
  void reuseUnderAReadIsSeenWithoutChance() {
    LateRead read = new LateRead(new UnitTableFormat(1, Flaw.FREED_SPACE_IS_REUSED_AT_ONCE));
    AssertionError failure = assertThrows(AssertionError.class, read::run);
    assertEquals(
        "the late read finds at offset 0 the bytes of step 2 for offset 614400",
        failure.getMessage());
  }
}
