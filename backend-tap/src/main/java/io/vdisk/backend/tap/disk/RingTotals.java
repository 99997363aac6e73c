package io.vdisk.backend.tap.disk;

import io.vdisk.backend.tap.RequestStatistics.Snapshot;
import io.vdisk.backend.tap.RequestStatistics.Summary;
import java.util.List;
import java.util.function.Function;

/**
 * What some rings were asked, all together.
 *
 * @param failed requests at which the disk failed
 */
record RingTotals(Kind reads, Kind writes, Kind flushes, Kind discards, long failed) {
  /**
   * Requests of one kind.
   *
   * @param count all that were answered, failures included
   * @param sectors of 512 bytes that they were about
   * @param microseconds what they took, all together
   * @param longestMicroseconds the slowest
   */
  record Kind(long count, long sectors, long microseconds, long longestMicroseconds) {
    private static Kind of(List<Snapshot> all, Function<Snapshot, Summary> kind) {
      List<Summary> each = all.stream().map(kind).toList();
      return new Kind(
          each.stream().mapToLong(Summary::count).sum(),
          each.stream().mapToLong(Summary::sectors).sum(),
          each.stream().mapToLong(Summary::nanoseconds).sum() / 1000,
          each.stream().mapToLong(Summary::longest).max().orElse(0) / 1000);
    }
  }

  static RingTotals of(List<ServedRing> rings) {
    List<Snapshot> all = rings.stream().map(ServedRing::requests).toList();
    return new RingTotals(
        Kind.of(all, Snapshot::reads),
        Kind.of(all, Snapshot::writes),
        Kind.of(all, Snapshot::flushes),
        Kind.of(all, Snapshot::discards),
        rings.stream().mapToLong(ring -> ring.counters().failed()).sum());
  }
}
