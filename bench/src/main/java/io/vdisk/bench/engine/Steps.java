package io.vdisk.bench.engine;

/**
 * Where requests go: the k-th to {@code k * step}, around the end of the disk, as {@code qemu-img
 * bench -S} does, so that locality is the same on both sides.
 *
 * @param size bytes of a disk or what is used of it
 * @param step bytes from one request to the next
 */
record Steps(long size, long step) {
  /** Near the golden section: neighbours in time are far apart, and so are those of neighbours. */
  private static final double FAR = 0.382;

  /** In that order. */
  static Steps of(String order, long size, long unit) {
    return order.equals("random") ? random(size, unit) : sequential(size, unit);
  }

  /** One after the other. */
  static Steps sequential(long size, long unit) {
    return new Steps(size, unit);
  }

  /**
   * As good as random: an odd number of units, so that each is visited once before any is again
   * where their number is a power of two.
   */
  static Steps random(long size, long unit) {
    long units = size / unit;
    long far = (long) Math.ceil(FAR * units) | 1;
    return new Steps(size, far * unit);
  }

  /** Where request {@code k} goes, for k below 2 to the power of 31. */
  long offset(long k) {
    return k * step % size;
  }
}
