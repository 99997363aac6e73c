package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.RequestStatistics.Snapshot;
import io.vdisk.backend.tap.RequestStatistics.Summary;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is counted of requests. */
final class RequestStatisticsTest {
  private final RequestStatistics statistics = new RequestStatistics();

  @Test
  void nothingAskedIsNothingCounted() {
    Summary nothing = new Summary(0, 0, 0, 0, 0, 0, 0, 0, 0);
    assertEquals(new Snapshot(nothing, nothing, nothing, nothing), statistics.snapshot());
  }

  @Test
  void eachKindHasItsOwnNumbers() {
    statistics.read(8, 7, false);
    statistics.read(16, 5, true);
    statistics.wrote(2, 3, false);
    statistics.flushed(4, false);
    statistics.discarded(100, 6, true);
    Snapshot snapshot = statistics.snapshot();
    assertEquals(new Summary(2, 24, 1, 16, 12, 5, 7, 7, 7), snapshot.reads());
    assertEquals(new Summary(1, 2, 0, 0, 3, 3, 3, 3, 3), snapshot.writes());
    assertEquals(new Summary(1, 0, 0, 0, 4, 4, 4, 4, 4), snapshot.flushes());
    assertEquals(new Summary(1, 100, 1, 100, 6, 6, 6, 6, 6), snapshot.discards());
  }

  @Test
  void partIsCountedInTheWholeToo() {
    RequestStatistics part = new RequestStatistics(statistics);
    part.read(8, 7, false);
    statistics.read(1, 9, true);
    assertEquals(new Summary(1, 8, 0, 0, 7, 7, 7, 7, 7), part.snapshot().reads());
    assertEquals(2, statistics.snapshot().reads().count());
    assertEquals(9, statistics.snapshot().reads().sectors());
  }

  @Test
  void percentilesAreAtMostAnEighthTooLarge() {
    for (int i = 1; i <= 10_000; i++) {
      statistics.read(1, i * 1000L, false);
    }
    Summary reads = statistics.snapshot().reads();
    assertNear(5_000_000, reads.median());
    assertNear(9_900_000, reads.percentile99());
    assertNear(9_990_000, reads.percentile999());
    assertEquals(10_000_000, reads.longest());
  }

  private static void assertNear(long exact, long told) {
    assertTrue(told >= exact && told <= exact + exact / 8, told + " instead of " + exact);
  }

  @Test
  void everyTimeLiesInABucketThatEndsAtMostAnEighthAboveIt() {
    int before = 0;
    for (long time = 0; time < 1L << 39; time += Math.max(1, time / 23)) {
      int bucket = LatencyBuckets.of(time);
      assertTrue(bucket >= before && bucket < LatencyBuckets.COUNT, "bucket of " + time);
      assertTrue(LatencyBuckets.end(bucket) >= time, "end of the bucket of " + time);
      assertTrue(LatencyBuckets.end(bucket) <= time + time / 8, "end of the bucket of " + time);
      assertTrue(bucket == 0 || LatencyBuckets.end(bucket - 1) < time, "bucket before " + time);
      before = bucket;
    }
    assertEquals(LatencyBuckets.COUNT - 1, LatencyBuckets.of(Long.MAX_VALUE));
    assertEquals(0, LatencyBuckets.of(-1));
  }

  @Test
  void nothingIsLostBetweenThreads() throws Exception {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      int slowest = 1000 + i;
      Thread thread =
          new Thread(
              () -> {
                for (int j = 0; j < 50_000; j++) {
                  statistics.wrote(3, j % slowest + 1, j % 10 == 0);
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    Summary writes = statistics.snapshot().writes();
    assertEquals(400_000, writes.count());
    assertEquals(1_200_000, writes.sectors());
    assertEquals(40_000, writes.failures());
    assertEquals(1007, writes.longest());
  }
}
