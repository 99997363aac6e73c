package io.vdisk.backend.tap;

/** At most so many requests and bytes in a second. Any thread may call. Skeleton. */
public final class RateLimit {
  boolean isLimited() {
    return false;
  }

  /** Nanoseconds to wait */
  long reserve(int requests, long bytes) {
    return 0;
  }
}
