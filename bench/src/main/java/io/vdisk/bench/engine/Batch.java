package io.vdisk.bench.engine;

/**
 * So many requests, after which a disk is used up.
 *
 * @param count of all threads together
 */
record Batch(Steps steps, int count) {
  /** A cluster's usual size: requests of less go to a new one each all the same. */
  private static final int CLUSTER = 1 << 16;

  private static final int MOST = 32_768;

  /** What one iteration writes at most: page cache is no endless thing. */
  private static final long MOST_BYTES = 512L << 20;

  /** Each to another cluster of a disk of {@code bytes}. */
  static Batch of(long bytes, int size, String order) {
    long unit = Math.max(size, CLUSTER);
    Steps steps = Steps.of(order, bytes, unit);
    return new Batch(steps, (int) Math.min(Math.min(MOST, bytes / unit), MOST_BYTES / size));
  }
}
