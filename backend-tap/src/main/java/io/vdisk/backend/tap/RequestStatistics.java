package io.vdisk.backend.tap;

/** What was asked of a disk, and how long it took. Any thread may call. Skeleton. */
public final class RequestStatistics {
  /** A read of so many sectors of 512 bytes was answered after so many nanoseconds. */
  public void read(long sectors, long nanoseconds, boolean hasFailed) {}

  /** A write, zeroing included. */
  public void wrote(long sectors, long nanoseconds, boolean hasFailed) {}

  /** A flush. */
  public void flushed(long nanoseconds, boolean hasFailed) {}

  /** A discard. */
  public void discarded(long sectors, long nanoseconds, boolean hasFailed) {}
}
