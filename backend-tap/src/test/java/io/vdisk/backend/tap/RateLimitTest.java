package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.backend.tap.RateLimit.Rates;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How many requests and bytes go in a second, by a clock that the test owns. */
@Timeout(60)
final class RateLimitTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  /** Passes only by waiting for it. */
  private static final class WaitedTime implements RateLimit.Time {
    private long now = 17;

    @Override
    public long nanos() {
      return now;
    }

    @Override
    public void await(Condition condition, long nanos) {
      now += nanos;
    }
  }

  /** Stands still until the test moves it; those who wait are asleep. */
  private static final class HeldTime implements RateLimit.Time {
    private final CountDownLatch waited = new CountDownLatch(1);
    private volatile long now;

    @Override
    public long nanos() {
      return now;
    }

    @Override
    public void await(Condition condition, long nanos) throws InterruptedException {
      waited.countDown();
      condition.await();
    }
  }

  private final WaitedTime time = new WaitedTime();

  private long secondsFor(RateLimit limit, int requests, long bytes) throws Exception {
    long start = time.now;
    for (int i = 0; i < requests; i++) {
      limit.await(bytes);
    }
    return Math.round((time.now - start) / (double) SECOND);
  }

  @Test
  void withoutALimitNothingWaits() throws Exception {
    RateLimit limit = new RateLimit(Rates.UNLIMITED, time);
    assertEquals(0, secondsFor(limit, 1000, 1 << 30));
  }

  @Test
  void bytesGoAtTheirRateOnceTheBurstIsUsedUp() throws Exception {
    RateLimit limit = new RateLimit(new Rates(1_000_000, 500_000, 0, 0), time);
    assertEquals(0, secondsFor(limit, 5, 100_000));
    assertEquals(10, secondsFor(limit, 100, 100_000));
  }

  @Test
  void requestsGoAtTheirRateHoweverSmall() throws Exception {
    RateLimit limit = new RateLimit(new Rates(0, 0, 100, 10), time);
    assertEquals(0, secondsFor(limit, 10, 0));
    assertEquals(5, secondsFor(limit, 500, 0));
  }

  @Test
  void theTighterOfTwoLimitsCounts() throws Exception {
    RateLimit limit = new RateLimit(new Rates(1000, 1000, 2, 1), time);
    assertEquals(50, secondsFor(limit, 101, 10));
    assertEquals(10, secondsFor(limit, 10, 1000));
  }

  @Test
  void aRequestLargerThanTheBurstPassesAndLeavesADebt() throws Exception {
    RateLimit limit = new RateLimit(new Rates(1000, 100, 0, 0), time);
    assertEquals(0, secondsFor(limit, 1, 10_000));
    assertEquals(10, secondsFor(limit, 1, 100));
  }

  @Test
  void aPauseFillsTheBucketUpToItsBurstAndNoFurther() throws Exception {
    RateLimit limit = new RateLimit(new Rates(1000, 3000, 0, 0), time);
    limit.await(3000);
    time.now += 3600 * SECOND;
    assertEquals(0, secondsFor(limit, 3, 1000));
    assertEquals(1, secondsFor(limit, 1, 1000));
  }

  @Test
  void manySmallRequestsAreNotRoundedAway() throws Exception {
    RateLimit limit = new RateLimit(new Rates(1_000_000_007, 1, 0, 0), time);
    assertEquals(1, secondsFor(limit, 1_000_000_007 / 4096, 4096));
  }

  @Test
  void aNewRateIsInForceAtOnceAlsoForThoseWhoWait() throws Exception {
    HeldTime held = new HeldTime();
    RateLimit limit = new RateLimit(new Rates(1, 1, 0, 0), held);
    limit.await(1 << 30);
    Thread waiter = started(() -> limit.await(1));
    held.waited.await();
    limit.change(Rates.UNLIMITED);
    waiter.join();
    assertEquals(Rates.UNLIMITED, limit.rates());
  }

  @Test
  void requestsGoInTheOrderInWhichTheyCame() throws Exception {
    HeldTime held = new HeldTime();
    Rates slow = new Rates(0, 0, 1, 1);
    RateLimit limit = new RateLimit(slow, held);
    limit.await(0);
    List<Integer> order = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      int number = i;
      threads.add(
          started(
              () -> {
                limit.await(0);
                order.add(number);
              }));
      held.waited.await();
      while (limit.queued() < i) {
        Thread.onSpinWait();
      }
    }
    for (Thread thread : threads) {
      held.now += SECOND;
      limit.change(slow);
      thread.join();
    }
    assertEquals(List.of(0, 1, 2, 3, 4), order);
  }

  @Test
  void anInterruptedRequestTakesNoToken() throws Exception {
    HeldTime held = new HeldTime();
    RateLimit limit = new RateLimit(new Rates(1000, 1000, 0, 0), held);
    limit.await(1000);
    CountDownLatch interrupted = new CountDownLatch(1);
    Thread waiter =
        new Thread(
            () -> {
              try {
                limit.await(1000);
              } catch (InterruptedException e) {
                interrupted.countDown();
              }
            });
    waiter.start();
    held.waited.await();
    waiter.interrupt();
    interrupted.await();
    held.now += SECOND;
    limit.await(1000);
  }

  @Test
  void rubbishIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Rates(-1, 1, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new Rates(1, 0, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new Rates(0, 0, 5, 0));
    assertThrows(IllegalArgumentException.class, () -> new RateLimit().await(-1));
  }

  private interface Waiting {
    void run() throws InterruptedException;
  }

  private static Thread started(Waiting body) {
    Thread thread =
        new Thread(
            () -> {
              try {
                body.run();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    thread.start();
    return thread;
  }
}
