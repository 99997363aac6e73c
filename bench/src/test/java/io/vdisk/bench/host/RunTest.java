package io.vdisk.bench.host;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class RunTest {
  private static Run run(double foreign, double stolen, double seconds) {
    return new Run(seconds, seconds, 1, foreign, stolen, seconds);
  }

  @Test
  void runBesideOthersIsDisturbed() {
    assertTrue(run(0.25, 0, 1).isDisturbed());
    assertTrue(run(0, 0.25, 1).isDisturbed());
    assertFalse(run(0.15, 0.15, 1).isDisturbed());
  }

  @Test
  void clockIsTooCoarseToTellThatOfAShortRun() {
    assertFalse(run(0.25, 0, 0.1).isDisturbed());
  }
}
