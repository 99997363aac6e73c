package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.testkit.UnitTableFormat.Flaw;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A sound layout passes the contract, and each flawed one fails it. */
class FaultContractTest {
  @Nested
  class OneFile extends FaultContract {
    @Override
    protected Subject subject() {
      return new UnitTableFormat(1, Flaw.NONE);
    }
  }

  @Nested
  class TableAndDataInTwoFiles extends FaultContract {
    @Override
    protected Subject subject() {
      return new UnitTableFormat(2, Flaw.NONE);
    }
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "FAILED_FLUSH_IS_SWALLOWED",
        "ABORT_LEAVES_THE_MAPPING",
        "COMMIT_BEFORE_DATA",
        "TABLE_BEFORE_DATA"
      })
  void flawIsSeen(Flaw flaw) {
    AssertionError failure =
        assertThrows(
            AssertionError.class,
            () -> FaultContract.run(() -> new UnitTableFormat(1, flaw), flaw.name(), false, 4));
    assertTrue(failure.getMessage().startsWith("seed "), failure.getMessage());
    System.out.println(flaw + ": " + failure.getMessage());
  }
}
