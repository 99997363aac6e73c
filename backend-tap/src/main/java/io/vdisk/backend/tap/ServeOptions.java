package io.vdisk.backend.tap;

/**
 * How a ring is served. Immutable.
 *
 * @param isReadOnly whether requests that would change the disk are refused
 * @param isSerial whether requests are done one at a time and in their order, each durable before
 *     it is answered; all that the ring holds are on their way otherwise
 * @param watchNanoseconds how long an empty ring is looked at before going to sleep, at most: what
 *     spares a busy guest the time that waking takes, and costs that much of a processor
 * @param limit what holds requests back; shared by the rings of one disk
 * @param statistics where requests are counted; shared by the rings of one disk
 */
public record ServeOptions(
    boolean isReadOnly,
    boolean isSerial,
    long watchNanoseconds,
    RateLimit limit,
    RequestStatistics statistics) {
  /** A sleep costs about as much, both sides together. */
  private static final long WATCH_NANOSECONDS = 50_000;

  /** That is to say, without a word on how long to look. */
  public ServeOptions(
      boolean isReadOnly, boolean isSerial, RateLimit limit, RequestStatistics statistics) {
    this(isReadOnly, isSerial, WATCH_NANOSECONDS, limit, statistics);
  }
}
