package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.RateLimit.Rates;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How many requests and bytes go in a second, by a clock that the test owns. */
final class RateLimitTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private long now = 17;

  private RateLimit limit(Rates rates) {
    return new RateLimit(rates, () -> now);
  }

  /** Asks again when it is told to. */
  private void pass(RateLimit limit, int count, long bytes) {
    for (long wait = limit.take(count, bytes); wait > 0; wait = limit.take(count, bytes)) {
      now += wait;
    }
  }

  private long secondsFor(RateLimit limit, int requests, long bytes) {
    long start = now;
    for (int i = 0; i < requests; i++) {
      pass(limit, 1, bytes);
    }
    return Math.round((now - start) / (double) SECOND);
  }

  @Test
  void withoutALimitNothingWaits() {
    RateLimit limit = limit(Rates.UNLIMITED);
    assertEquals(0, secondsFor(limit, 1000, 1 << 30));
  }

  @Test
  void bytesGoAtTheirRateOnceTheBurstIsUsedUp() {
    RateLimit limit = limit(new Rates(1_000_000, 500_000, 0, 0));
    assertEquals(0, secondsFor(limit, 5, 100_000));
    assertEquals(10, secondsFor(limit, 100, 100_000));
  }

  @Test
  void requestsGoAtTheirRateHoweverSmall() {
    RateLimit limit = limit(new Rates(0, 0, 100, 10));
    assertEquals(0, secondsFor(limit, 10, 0));
    assertEquals(5, secondsFor(limit, 500, 0));
  }

  @Test
  void theTighterOfTwoLimitsCounts() {
    RateLimit limit = limit(new Rates(1000, 1000, 2, 1));
    assertEquals(50, secondsFor(limit, 101, 10));
    assertEquals(10, secondsFor(limit, 10, 1000));
  }

  @Test
  void aRequestLargerThanTheBurstPassesAndLeavesADebt() {
    RateLimit limit = limit(new Rates(1000, 100, 0, 0));
    assertEquals(0, secondsFor(limit, 1, 10_000));
    assertEquals(10, secondsFor(limit, 1, 100));
  }

  @Test
  void aPauseFillsTheBucketUpToItsBurstAndNoFurther() {
    RateLimit limit = limit(new Rates(1000, 3000, 0, 0));
    pass(limit, 1, 3000);
    now += 3600 * SECOND;
    assertEquals(0, secondsFor(limit, 3, 1000));
    assertEquals(1, secondsFor(limit, 1, 1000));
  }

  @Test
  void manySmallRequestsAreNotRoundedAway() {
    RateLimit limit = limit(new Rates(1_000_000_007, 1, 0, 0));
    assertEquals(1, secondsFor(limit, 1_000_000_007 / 4096, 4096));
  }

  @Test
  void aBatchTakesTheTokensOfAllItsRequestsTogether() {
    RateLimit limit = limit(new Rates(0, 0, 100, 10));

    assertEquals(0, limit.take(10, 0));
    assertEquals(SECOND / 100 * 5, limit.take(5, 0));
    now += SECOND / 100 * 5;
    assertEquals(0, limit.take(5, 0));
  }

  @Test
  void aNewRateIsInForceAtOnceAlsoForThoseWhoWait() {
    RateLimit limit = limit(new Rates(1, 1, 0, 0));
    pass(limit, 1, 1 << 30);
    assertTrue(limit.take(1, 1) > 0);

    limit.change(Rates.UNLIMITED);

    assertEquals(0, limit.take(1, 1));
    assertEquals(Rates.UNLIMITED, limit.rates());
  }

  @Test
  void whoIsToldToWaitTakesNoToken() {
    RateLimit limit = limit(new Rates(1000, 1000, 0, 0));
    pass(limit, 1, 1000);
    for (int i = 0; i < 100; i++) {
      assertEquals(SECOND, limit.take(1, 1000));
    }
    now += SECOND;
    assertEquals(0, limit.take(1, 1000));
  }

  @Test
  void rubbishIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Rates(-1, 1, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new Rates(1, 0, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new Rates(0, 0, 5, 0));
    assertThrows(IllegalArgumentException.class, () -> new RateLimit().take(1, -1));
  }
}
