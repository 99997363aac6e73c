package io.vdisk.backend.tap;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a ring is served. Immutable.
 *
 * @param isReadOnly whether requests that would change the disk are refused
 * @param isSerial whether requests are done one at a time and in their order, each durable before
 *     it is answered; all that the ring holds are on their way otherwise
 * @param watchNanoseconds how long an empty ring is looked at before going to sleep, at most: what
 *     spares a busy guest the time that waking takes, and costs that much of a processor
 * @param writeLogs how the files begin in which it is kept what guests wrote to this very image
 *     since their last flush, in case this process is killed ({@link KeptWrites}); empty where the
 *     disk itself keeps what was answered, as a raw one does
 * @param logs those of the disk's guests, among which its own will be
 * @param limit what holds requests back; shared by the rings of one disk
 * @param statistics where requests are counted
 * @param counters where it is counted what happens at the ring
 */
public record ServeOptions(
    boolean isReadOnly,
    boolean isSerial,
    long watchNanoseconds,
    Optional<Path> writeLogs,
    DiskLogs logs,
    RateLimit limit,
    RequestStatistics statistics,
    RingCounters counters) {
  /** A sleep costs about as much, both sides together. */
  public static final long WATCH_NANOSECONDS = 50_000;

  /** For a disk that keeps what was answered. */
  public ServeOptions(
      boolean isReadOnly, boolean isSerial, RateLimit limit, RequestStatistics statistics) {
    this(
        isReadOnly,
        isSerial,
        WATCH_NANOSECONDS,
        Optional.empty(),
        new DiskLogs(),
        limit,
        statistics,
        new RingCounters());
  }

  /** The same options for a ring that is looked at for so long. */
  public ServeOptions withWatch(long nanoseconds) {
    return new ServeOptions(
        isReadOnly, isSerial, nanoseconds, writeLogs, logs, limit, statistics, counters);
  }

  /**
   * The same options for a disk of which only a flush makes sure that it keeps what was answered.
   */
  public ServeOptions withWriteLogs(Path beginning) {
    Optional<Path> path = Optional.of(beginning);
    return new ServeOptions(
        isReadOnly, isSerial, watchNanoseconds, path, logs, limit, statistics, counters);
  }

  /** The same options for a guest whose log, if it has one, is one of these. */
  public ServeOptions withLogs(DiskLogs all) {
    return new ServeOptions(
        isReadOnly, isSerial, watchNanoseconds, writeLogs, all, limit, statistics, counters);
  }
}
