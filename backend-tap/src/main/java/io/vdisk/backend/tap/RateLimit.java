package io.vdisk.backend.tap;

/** At most so many requests and bytes in a second. Any thread may call. Skeleton. */
public final class RateLimit {
  /** Waits until a request of so many bytes may go. */
  public void await(long bytes) throws InterruptedException {
    throw new UnsupportedOperationException();
  }
}
