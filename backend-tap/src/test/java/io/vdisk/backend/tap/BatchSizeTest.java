package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class BatchSizeTest {
  private static final int ENOUGH = 100; // figures, for the average to follow

  private final BatchSize size = new BatchSize();

  private void took(long nanoseconds) {
    for (int i = 0; i < ENOUGH; i++) {
      size.took(1, nanoseconds);
    }
  }

  /** Batches until the leader is to do one alone, at most so many. */
  private int untilAlone(int most) {
    int batches = 0;
    while (batches < most && !size.isAlone()) {
      batches++;
    }
    return batches;
  }

  @Test
  void quickRequestsAreDoneByTheLeaderAndManyAtATime() {
    took(2_000);
    assertTrue(size.isAlone());
    assertEquals(RequestBatch.MOST, size.requests());
  }

  @Test
  void slowRequestsHaveAThreadEach() {
    took(60_000);
    assertFalse(size.isAlone());
    assertEquals(1, size.requests());
  }

  @Test
  void requestsThatSeemSlowAreTriedAlone() {
    took(300_000); // as writes to one file are, of which one at a time is done in 15
    assertEquals(256, untilAlone(10_000));
    size.tookAlone(1, 250_000); // others are still under way
    assertTrue(size.isAlone());
    size.tookAlone(1, 15_000);
    assertTrue(size.isAlone());
    assertEquals(3, size.requests());
  }

  @Test
  void aTrialThatFailsIsRepeatedHalfAsOften() {
    took(60_000);
    int expected = 256;
    for (int trial = 0; trial < 8; trial++) {
      assertEquals(expected, untilAlone(100_000), "trial " + trial);
      size.tookAlone(1, 60_000);
      for (int more = 0; more < 3; more++) {
        assertTrue(size.isAlone());
        size.tookAlone(1, 60_000);
      }
      expected = Math.min(2 * expected, 16_384);
    }
  }

  @Test
  void aDeviceThatIsTooSlowIsNeverTriedAlone() {
    took(2_000_000);
    assertEquals(100_000, untilAlone(100_000));
  }

  /** So many batches, none of which began before the one before it ended; those done alone. */
  private int oneAtATime(int batches) {
    int alone = 0;
    for (int i = 0; i < batches; i++) {
      int number = size.begin(false);
      alone += size.isAlone() ? 1 : 0;
      size.ended(number, false);
    }
    return alone;
  }

  @Test
  void requestsThatComeOneAtATimeAreDoneByTheLeaderThoughTheyAreSlow() {
    took(60_000);
    assertEquals(0, oneAtATime(16));
    assertEquals(100, oneAtATime(100));
  }

  @Test
  void companyIsExpectedAfterABatchThatLeftOthersWaiting() {
    took(60_000);
    oneAtATime(100);
    int number = size.begin(true);
    assertFalse(size.isAlone());
    size.ended(number, false);
    assertEquals(1, oneAtATime(17));
  }

  @Test
  void companyIsExpectedAfterABatchForWhichOthersWaited() {
    took(60_000);
    oneAtATime(100);
    size.ended(size.begin(false), true);
    assertEquals(1, oneAtATime(17));
  }

  @Test
  void companyIsExpectedAfterABatchDuringWhichAnotherBegan() {
    took(60_000);
    oneAtATime(100);
    int first = size.begin(false);
    int second = size.begin(false);
    size.ended(first, false);
    size.ended(second, false);
    assertEquals(1, oneAtATime(17));
  }

  @Test
  void aDeviceThatIsTooSlowHoldsUpNobody() {
    took(2_000_000);
    assertEquals(0, oneAtATime(100));
  }
}
