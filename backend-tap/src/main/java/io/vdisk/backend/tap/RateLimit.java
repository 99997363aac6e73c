package io.vdisk.backend.tap;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * At most so many requests and bytes in a second, by a token bucket for each: a bucket fills at the
 * rate up to its burst, and a request takes its tokens out before it goes. One that is larger than
 * the burst goes when the bucket is full and leaves a debt, so it is neither split nor stuck.
 *
 * <p>Any thread may call. Who may not go yet is told when to ask again; those of several rings do
 * not queue. Without a limit a request passes with one read of a volatile field.
 */
public final class RateLimit {
  /**
   * What is allowed.
   *
   * @param bytesPerSecond 0: as many as come
   * @param bytesBurst bytes that may go at once after a pause; at least 1 where bytes are limited
   * @param requestsPerSecond 0: as many as come
   * @param requestsBurst requests that may go at once; at least 1 where requests are limited
   */
  public record Rates(
      long bytesPerSecond, long bytesBurst, long requestsPerSecond, long requestsBurst) {
    /** Everything goes at once. */
    public static final Rates UNLIMITED = new Rates(0, 0, 0, 0);

    /** Checks the ranges. */
    public Rates {
      check("bytes", bytesPerSecond, bytesBurst);
      check("requests", requestsPerSecond, requestsBurst);
    }

    private static void check(String what, long rate, long burst) {
      if (rate < 0 || burst < 0 || (rate > 0 && burst == 0)) {
        throw new IllegalArgumentException(
            "no limit: " + rate + " " + what + " a second with a burst of " + burst);
      }
    }

    private boolean isUnlimited() {
      return bytesPerSecond == 0 && requestsPerSecond == 0;
    }
  }

  private final LongSupplier clock;

  /** Guards the buckets. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Bucket bytes = new Bucket();
  private final Bucket requests = new Bucket();
  private volatile Rates rates = Rates.UNLIMITED; // written under lock

  /** No limit, until {@link #change} sets one. */
  public RateLimit() {
    this(Rates.UNLIMITED, System::nanoTime);
  }

  /** With another clock, of nanoseconds. */
  RateLimit(Rates rates, LongSupplier clock) {
    this.clock = clock;
    change(rates);
  }

  /** What is allowed now. */
  public Rates rates() {
    return rates;
  }

  /** Allows this from now on. A bucket that had no limit begins full. */
  public void change(Rates allowed) {
    lock.lock();
    try {
      long now = clock.getAsLong();
      bytes.change(allowed.bytesPerSecond(), allowed.bytesBurst(), now);
      requests.change(allowed.requestsPerSecond(), allowed.requestsBurst(), now);
      rates = allowed;
    } finally {
      lock.unlock();
    }
  }

  /** True if there is a limit now. */
  public boolean isLimited() {
    return !rates.isUnlimited();
  }

  /**
   * Lets some requests go now, or not yet.
   *
   * @param count requests
   * @param length bytes of all
   * @return 0 if they may go; nanoseconds, after which to ask again, if not
   */
  public long take(int count, long length) {
    if (count < 0 || length < 0) {
      throw new IllegalArgumentException(count + " requests of " + length + " bytes");
    }
    if (!isLimited()) {
      return 0;
    }
    lock.lock();
    try {
      long now = clock.getAsLong();
      long wait = Math.max(bytes.nanosUntil(length, now), requests.nanosUntil(count, now));
      if (wait == 0) {
        bytes.take(length);
        requests.take(count);
      }
      return wait;
    } finally {
      lock.unlock();
    }
  }

  /** Tokens of one kind. Guarded by the lock of the limit. */
  private static final class Bucket {
    private long perSecond; // 0: no limit
    private long burst;
    private double tokens; // negative: a debt
    private long filledAt;

    void change(long newPerSecond, long newBurst, long now) {
      boolean wasLimited = perSecond > 0;
      fill(now);
      perSecond = newPerSecond;
      burst = newBurst;
      tokens = wasLimited ? Math.min(tokens, (double) burst) : burst;
      filledAt = now;
    }

    private void fill(long now) {
      double seconds = (now - filledAt) / (double) TimeUnit.SECONDS.toNanos(1);
      tokens = Math.min((double) burst, tokens + seconds * perSecond);
      filledAt = now;
    }

    /** Nanoseconds until so many may be taken, or as many as there ever are; 0: now. */
    long nanosUntil(long count, long now) {
      if (perSecond == 0) {
        return 0;
      }
      fill(now);
      double missing = Math.min(count, burst) - tokens;
      return missing <= 0
          ? 0
          : Math.max(1, (long) Math.ceil(missing * TimeUnit.SECONDS.toNanos(1) / perSecond));
    }

    void take(long count) {
      if (perSecond > 0) {
        tokens -= count;
      }
    }
  }
}
