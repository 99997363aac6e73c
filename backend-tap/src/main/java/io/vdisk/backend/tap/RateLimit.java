package io.vdisk.backend.tap;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * At most so many requests and bytes in a second, by a token bucket for each: a bucket fills at the
 * rate up to its burst, and a request takes its tokens out before it goes. One that is larger than
 * the burst goes when the bucket is full and leaves a debt, so it is neither split nor stuck.
 *
 * <p>Any thread may call. Requests go in the order in which they came: the first one waits for
 * tokens, the others for their turn, all asleep. Without a limit a request passes with one read of
 * a volatile field.
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

  /** The time, and how to let it pass: tests have their own. */
  interface Time {
    /** That of the JVM. */
    Time SYSTEM =
        new Time() {
          @Override
          public long nanos() {
            return System.nanoTime();
          }

          @Override
          @SuppressWarnings("WaitNotInLoop") // whoever calls looks again
          public void await(Condition condition, long nanos) throws InterruptedException {
            long unused = condition.awaitNanos(nanos);
          }
        };

    /** Nanoseconds since some moment. */
    long nanos();

    /** Waits for the condition, but not longer than this; may return early. */
    void await(Condition condition, long nanos) throws InterruptedException;
  }

  private final Time time;

  /** Held by the request that waits for tokens; the others queue here, in order. */
  private final ReentrantLock turn = new ReentrantLock(true);

  /** Guards the buckets. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition changed = lock.newCondition();
  private final Bucket bytes = new Bucket();
  private final Bucket requests = new Bucket();
  private volatile Rates rates = Rates.UNLIMITED; // written under lock

  /** No limit, until {@link #change} sets one. */
  public RateLimit() {
    this(Rates.UNLIMITED, Time.SYSTEM);
  }

  RateLimit(Rates rates, Time time) {
    this.time = time;
    change(rates);
  }

  /** What is allowed now. */
  public Rates rates() {
    return rates;
  }

  /** Allows this from now on, also to those who wait. A bucket that had no limit begins full. */
  public void change(Rates allowed) {
    lock.lock();
    try {
      long now = time.nanos();
      bytes.change(allowed.bytesPerSecond(), allowed.bytesBurst(), now);
      requests.change(allowed.requestsPerSecond(), allowed.requestsBurst(), now);
      rates = allowed;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** True if there is a limit now. */
  public boolean isLimited() {
    return !rates.isUnlimited();
  }

  /**
   * Lets some requests go now, or not yet. For those who have other things to wait for, too; they
   * do not queue.
   *
   * @param count requests
   * @param length bytes of all
   * @return 0 if they may go; nanoseconds, after which to ask again, if not
   */
  public long take(int count, long length) {
    if (!isLimited()) {
      return 0;
    }
    lock.lock();
    try {
      long now = time.nanos();
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

  /**
   * Waits until a request of so many bytes may go.
   *
   * @param length bytes, 0 or more
   * @throws InterruptedException if the thread was interrupted; no token is taken then
   */
  public void await(long length) throws InterruptedException {
    if (length < 0) {
      throw new IllegalArgumentException("a request of " + length + " bytes");
    }
    if (rates.isUnlimited()) {
      return;
    }
    turn.lockInterruptibly();
    try {
      takeTokens(length);
    } finally {
      turn.unlock();
    }
  }

  /** How many wait for their turn behind the first; for tests. */
  int queued() {
    return turn.getQueueLength();
  }

  private void takeTokens(long length) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (true) {
        long now = time.nanos();
        long wait = Math.max(bytes.nanosUntil(length, now), requests.nanosUntil(1, now));
        if (wait == 0) {
          bytes.take(length);
          requests.take(1);
          return;
        }
        time.await(changed, wait);
      }
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
