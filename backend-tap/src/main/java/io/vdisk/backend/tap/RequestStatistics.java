package io.vdisk.backend.tap;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What was asked of a disk, and how long it took.
 *
 * <p>Any thread may call. Each has a stripe of counters that it shares with few others, so that two
 * that serve one disk do not fight over a cache line; a {@link #snapshot} adds the stripes up, and
 * counts a request that comes meanwhile or not.
 */
public final class RequestStatistics {
  /** What a request asks. */
  private enum Kind {
    READ(0),
    WRITE(1),
    FLUSH(2),
    DISCARD(3);

    private final int start;

    Kind(int place) {
      this.start = PADDING + place * WIDTH;
    }
  }

  /**
   * Requests of one kind.
   *
   * @param count all that were answered, failures included
   * @param sectors of 512 bytes that they were about
   * @param failures how many of them failed
   * @param failedSectors what those were about
   * @param nanoseconds what they took, all together
   * @param median half of them took no longer, nanoseconds; this and the next two are at most an
   *     eighth too large, and 0 where there was no request
   * @param percentile99 99 of 100 took no longer
   * @param percentile999 999 of 1000 took no longer
   * @param longest the slowest, nanoseconds
   */
  public record Summary(
      long count,
      long sectors,
      long failures,
      long failedSectors,
      long nanoseconds,
      long median,
      long percentile99,
      long percentile999,
      long longest) {}

  /** All kinds at one moment; a write may be of zeroes. */
  public record Snapshot(Summary reads, Summary writes, Summary flushes, Summary discards) {}

  // Counters of a kind within a stripe.
  private static final int COUNT = 0;
  private static final int SECTORS = 1;
  private static final int FAILURES = 2;
  private static final int FAILED_SECTORS = 3;
  private static final int NANOSECONDS = 4;
  private static final int LONGEST = 5;
  private static final int BUCKETS = 6;
  private static final int WIDTH = BUCKETS + LatencyBuckets.COUNT;

  /** Counters that nobody uses at either end of a stripe: two lines of 64 bytes. */
  private static final int PADDING = 16;

  private static final int LENGTH = PADDING + Kind.values().length * WIDTH + PADDING;
  private static final int MOST_STRIPES = 64;

  /** Where everything is counted once more. */
  private final @Nullable RequestStatistics whole;

  /** Made when first used: 10 KiB each. */
  private final AtomicReferenceArray<AtomicLongArray> stripes =
      new AtomicReferenceArray<>(stripeCount());

  /** Nothing was asked yet. */
  public RequestStatistics() {
    this.whole = null;
  }

  /** The same, of a part: what is counted here is counted there, too. */
  public RequestStatistics(RequestStatistics whole) {
    this.whole = whole;
  }

  private static int stripeCount() {
    int processors = Math.min(Runtime.getRuntime().availableProcessors(), MOST_STRIPES);
    return Integer.highestOneBit(Math.max(1, processors * 2 - 1));
  }

  /** A read of so many sectors of 512 bytes was answered after so many nanoseconds. */
  public void read(long sectors, long nanoseconds, boolean hasFailed) {
    count(Kind.READ, sectors, nanoseconds, hasFailed);
  }

  /** A write, zeroing included. */
  public void wrote(long sectors, long nanoseconds, boolean hasFailed) {
    count(Kind.WRITE, sectors, nanoseconds, hasFailed);
  }

  /** A flush. */
  public void flushed(long nanoseconds, boolean hasFailed) {
    count(Kind.FLUSH, 0, nanoseconds, hasFailed);
  }

  /** A discard. */
  public void discarded(long sectors, long nanoseconds, boolean hasFailed) {
    count(Kind.DISCARD, sectors, nanoseconds, hasFailed);
  }

  /** What has been counted so far. */
  public Snapshot snapshot() {
    return new Snapshot(
        summary(Kind.READ), summary(Kind.WRITE), summary(Kind.FLUSH), summary(Kind.DISCARD));
  }

  private void count(Kind kind, long sectors, long nanoseconds, boolean hasFailed) {
    if (whole != null) {
      whole.count(kind, sectors, nanoseconds, hasFailed);
    }
    AtomicLongArray stripe = stripe();
    int at = kind.start;
    stripe.getAndIncrement(at + COUNT);
    stripe.getAndAdd(at + SECTORS, sectors);
    stripe.getAndAdd(at + NANOSECONDS, Math.max(nanoseconds, 0));
    stripe.getAndIncrement(at + BUCKETS + LatencyBuckets.of(nanoseconds));
    if (nanoseconds > stripe.get(at + LONGEST)) {
      stripe.accumulateAndGet(at + LONGEST, nanoseconds, Math::max);
    }
    if (hasFailed) {
      stripe.getAndIncrement(at + FAILURES);
      stripe.getAndAdd(at + FAILED_SECTORS, sectors);
    }
  }

  /** Threads that were made one after another have neighbouring numbers, hence other stripes. */
  private AtomicLongArray stripe() {
    int index = (int) Thread.currentThread().getId() & (stripes.length() - 1);
    AtomicLongArray stripe = stripes.get(index);
    if (stripe != null) {
      return stripe;
    }
    AtomicLongArray made = new AtomicLongArray(LENGTH);
    AtomicLongArray before = stripes.compareAndExchange(index, null, made);
    return before == null ? made : before;
  }

  private Summary summary(Kind kind) {
    long[] sums = new long[WIDTH];
    for (int i = 0; i < stripes.length(); i++) {
      AtomicLongArray stripe = stripes.get(i);
      if (stripe != null) {
        add(stripe, kind.start, sums);
      }
    }
    return new Summary(
        sums[COUNT],
        sums[SECTORS],
        sums[FAILURES],
        sums[FAILED_SECTORS],
        sums[NANOSECONDS],
        percentile(sums, 500),
        percentile(sums, 990),
        percentile(sums, 999),
        sums[LONGEST]);
  }

  private static void add(AtomicLongArray stripe, int start, long[] sums) {
    for (int i = 0; i < WIDTH; i++) {
      long value = stripe.get(start + i);
      sums[i] = i == LONGEST ? Math.max(sums[i], value) : sums[i] + value;
    }
  }

  /** The end of the bucket in which the last of so many of a thousand lies. */
  private static long percentile(long[] sums, int perMille) {
    long total = 0;
    for (int i = BUCKETS; i < WIDTH; i++) {
      total += sums[i];
    }
    long rank = Math.max(1, (total * perMille + 999) / 1000);
    long seen = 0;
    for (int i = BUCKETS; i < WIDTH; i++) {
      seen += sums[i];
      if (seen >= rank) {
        return Math.min(LatencyBuckets.end(i - BUCKETS), sums[LONGEST]);
      }
    }
    return 0;
  }
}
