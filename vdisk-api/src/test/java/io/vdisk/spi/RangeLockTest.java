package io.vdisk.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.spi.Pause.Point;
import io.vdisk.spi.RangeLock.Held;
import io.vdisk.spi.Stage.Act;
import io.vdisk.spi.Stage.Stop;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class RangeLockTest {
  private static final long MIB = 1 << 20;

  private final Stage stage = new Stage();
  private final RangeLock lock = new RangeLock(stage);

  /**
   * Guards: the wait in lock (rangelock-does-not-wait), the signal in unlock
   * (rangelock-wakes-nobody).
   */
  @Test
  void anOverlappingRangeWaits() throws Exception {
    Held held = lock.lock(0, 10);
    Act<Void> other = Stage.run(() -> lock.unlock(lock.lock(9, 20)));
    stage.assertWaits(other, Point.RANGE_WAITS);

    lock.unlock(held);
    other.result();
  }

  @Test
  void aRangeWithinAnotherWaits() throws Exception {
    Held held = lock.lock(0, 64 * MIB);
    Act<Void> other = Stage.run(() -> lock.unlock(lock.lock(MIB, MIB + 1)));
    stage.assertWaits(other, Point.RANGE_WAITS);

    lock.unlock(held);
    other.result();
  }

  /** Guards: ranges are half open (rangelock-closed-ranges). */
  @Test
  void rangesThatOnlyTouchPass() throws Exception {
    Held held = lock.lock(10, 20);

    Stage.run(() -> lock.unlock(lock.lock(20, 30))).result();
    Stage.run(() -> lock.unlock(lock.lock(0, 10))).result();
    lock.unlock(held);
  }

  @Test
  void theLastOffsetsCanBeLocked() throws Exception {
    Held held = lock.lock(0, 512);

    Stage.run(() -> lock.unlock(lock.lock(512, Long.MAX_VALUE))).result();
    lock.unlock(held);
  }

  /** Guards: waiting ranges are obstacles too (rangelock-overtakes). */
  @Test
  void aLargeRangeIsNotOvertakenBySmallOnes() throws Exception {
    Held small = lock.lock(0, 10);
    Stop large = new Stop();
    Act<Void> second =
        Stage.run(
            () -> {
              Held all = lock.lock(0, 100);
              large.run();
              lock.unlock(all);
            });
    stage.assertWaits(second, Point.RANGE_WAITS);
    Act<Void> third = Stage.run(() -> lock.unlock(lock.lock(50, 60)));
    stage.assertWaits(third, Point.RANGE_WAITS);

    lock.unlock(small);
    large.awaitReached();
    assertEquals(1, stage.arrivals(Point.RANGE_FREED), "freed both, which overlap");
    large.release();
    second.result();
    third.result();
  }

  @Test
  void whoOverlapsNobodyPassesThoseWhoWait() throws Exception {
    Held held = lock.lock(0, 10);
    Act<Void> waiter = Stage.run(() -> lock.unlock(lock.lock(0, 100)));
    stage.assertWaits(waiter, Point.RANGE_WAITS);

    Stage.run(() -> lock.unlock(lock.lock(100, 110))).result();
    lock.unlock(held);
    waiter.result();
  }

  /** Guards: a range waits for all its obstacles (rangelock-one-obstacle). */
  @Test
  void aRangeWaitsForAllThatItOverlaps() throws Exception {
    Held held = lock.lock(0, 10);
    Stop other = new Stop();
    Act<Void> first =
        Stage.run(
            () -> {
              Held own = lock.lock(90, 100);
              other.run();
              lock.unlock(own);
            });
    other.awaitReached();
    Act<Void> waiter = Stage.run(() -> lock.unlock(lock.lock(0, 100)));
    stage.assertWaits(waiter, Point.RANGE_WAITS);

    lock.unlock(held);
    assertEquals(0, stage.arrivals(Point.RANGE_FREED), "freed with one obstacle left");
    other.release();
    first.result();
    waiter.result();
  }

  @Test
  void aRangeIsUnlockedOnceAndByItsThread() throws Exception {
    Held held = lock.lock(0, 10);
    ExecutionException e =
        assertThrows(ExecutionException.class, () -> Stage.run(() -> lock.unlock(held)).result());
    assertEquals(IllegalMonitorStateException.class, e.getCause().getClass());

    lock.unlock(held);
    assertThrows(IllegalMonitorStateException.class, () -> lock.unlock(held));
  }

  @Test
  void aThreadLocksOneRange() {
    Held held = lock.lock(0, 10);

    assertThrows(AssertionError.class, () -> lock.lock(20, 30));
    lock.unlock(held);
    lock.unlock(lock.lock(20, 30));
  }

  @Test
  void aRangeHasAtLeastOneByte() {
    assertThrows(IllegalArgumentException.class, () -> lock.lock(10, 10));
    assertThrows(IllegalArgumentException.class, () -> lock.lock(-1, 10));
  }

  @Test
  void anInterruptStaysPending() throws Exception {
    Held held = lock.lock(0, 10);
    Act<Boolean> waiter =
        Stage.start(
            () -> {
              lock.unlock(lock.lock(0, 10));
              return Thread.interrupted();
            });
    stage.assertWaits(waiter, Point.RANGE_WAITS);
    waiter.thread().interrupt();

    lock.unlock(held);
    assertTrue(waiter.result());
  }

  /**
   * Each cell of a plain array is counted up under the lock: a lost count is a broken exclusion.
   */
  @Test
  void noTwoThreadsHoldTheSameOffset() throws Exception {
    long seed = System.nanoTime();
    System.out.println("RangeLockTest seed " + seed);
    SplittableRandom random = new SplittableRandom(seed);
    int[] cells = new int[32];
    List<Act<int[]>> acts = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      SplittableRandom own = random.split();
      acts.add(Stage.start(() -> countUp(cells, own)));
    }

    int[] expected = new int[cells.length];
    for (Act<int[]> act : acts) {
      int[] counted = act.result();
      for (int cell = 0; cell < cells.length; cell++) {
        expected[cell] += counted[cell];
      }
    }
    for (int cell = 0; cell < cells.length; cell++) {
      assertEquals(expected[cell], cells[cell], "cell " + cell + ", seed " + seed);
    }
  }

  private int[] countUp(int[] cells, SplittableRandom random) {
    int[] counted = new int[cells.length];
    for (int round = 0; round < 10_000; round++) {
      int start = random.nextInt(cells.length);
      int end = random.nextInt(start, Math.min(cells.length, start + 8)) + 1;
      Held held = lock.lock(start, end);
      for (int cell = start; cell < end; cell++) {
        int seen = cells[cell];
        if (round % 16 == 0) {
          Thread.yield();
        }
        cells[cell] = seen + 1;
        counted[cell]++;
      }
      lock.unlock(held);
    }
    return counted;
  }
}
