package io.vdisk.backend.tap;

/**
 * The buckets of a log-linear histogram of nanoseconds: every power of two is cut into eight equal
 * parts, so that a bucket's upper end is at most an eighth above what lies in it. Times of 2^40
 * nanoseconds (18 minutes) and more share the last one.
 */
final class LatencyBuckets {
  /** Bits of a time that count behind its first one. */
  private static final int BITS = 3;

  private static final int PARTS = 1 << BITS;

  /** The first power of two that is not told apart any more. */
  private static final int TOP = 40;

  /** How many buckets there are. */
  static final int COUNT = (TOP - BITS + 1) * PARTS;

  private LatencyBuckets() {}

  /** The bucket of a time. */
  static int of(long nanoseconds) {
    long time = Math.min(Math.max(nanoseconds, 0), (1L << TOP) - 1);
    if (time < PARTS) {
      return (int) time;
    }
    int shift = Long.SIZE - 1 - Long.numberOfLeadingZeros(time) - BITS;
    return (shift << BITS) + (int) (time >>> shift);
  }

  /** The longest time that lies in a bucket, nanoseconds. */
  static long end(int bucket) {
    if (bucket < PARTS) {
      return bucket;
    }
    int shift = (bucket >> BITS) - 1;
    long part = (long) PARTS + (bucket & (PARTS - 1));
    return ((part + 1) << shift) - 1;
  }
}
