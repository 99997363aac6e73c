package io.vdisk.backend.tap;

/**
 * How many requests a worker takes at a time: as many as it does in 50 microseconds, by what the
 * last ones took. Where they are slower than that the device is waited for, and each request has a
 * thread; where many fit, to hand them to other threads would cost more than to do them.
 *
 * <p>Any thread may call; a figure that is lost to another thread does no harm.
 */
final class BatchSize {
  /** So long a worker does one batch. */
  static final long TURN_NANOSECONDS = 50_000;

  /** Up to here a worker goes on alone: to wake another one costs some microseconds. */
  private static final long FAST_NANOSECONDS = 20_000;

  /** A new figure counts an eighth. */
  private static final int WEIGHT = 3;

  private volatile long average = TURN_NANOSECONDS;

  /** So many requests took so long, one after the other. */
  void took(int requests, long nanoseconds) {
    long before = average;
    average = before + ((nanoseconds / requests - before) >> WEIGHT);
  }

  /** Requests to take. */
  int requests() {
    return (int) Math.max(1, Math.min(RequestBatch.MOST, TURN_NANOSECONDS / (average + 1)));
  }

  /** True if requests are done sooner than another thread would begin with them. */
  boolean isFast() {
    return average < FAST_NANOSECONDS;
  }
}
