package io.vdisk.spi.metadata;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that tables may take, shared by every image that was opened together: a chain, or the
 * disks of one server. Thread-safe.
 */
public final class CacheBudget {
  /** 128 GiB of guest space at clusters of 64 KiB. */
  private static final long DEFAULT_BYTES = 16L << 20;

  private final long limit;
  private final AtomicLong used = new AtomicLong();

  /** A budget of {@code limit} bytes, at least 1. */
  public CacheBudget(long limit) {
    if (limit < 1) {
      throw new IllegalArgumentException("budget of " + limit + " bytes");
    }
    this.limit = limit;
  }

  /** 16 MiB or an eighth of the heap, whichever is less. */
  public static CacheBudget standard() {
    return new CacheBudget(Math.min(DEFAULT_BYTES, Runtime.getRuntime().maxMemory() / 8));
  }

  /** Bytes that may be used. */
  public long limit() {
    return limit;
  }

  /** Bytes that are used now. */
  public long used() {
    return used.get();
  }

  void add(long bytes) {
    used.addAndGet(bytes);
  }

  boolean isExceeded() {
    return used.get() > limit;
  }
}
