package io.vdisk.spi;

import io.vdisk.spi.Pause.Point;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lock 2 of a device: ranges of guest offsets, of which no two that overlap are held at a time.
 *
 * <p>Any thread may call; it holds one range at a time. Whoever comes waits for all earlier ranges
 * that overlap its own, held or waiting, so a large range is not overtaken for ever by small ones.
 * The wait cannot be interrupted; an interrupt stays pending.
 */
final class RangeLock {
  private final Pause pause;
  private final ReentrantLock mutex = new ReentrantLock();

  // Under mutex: all ranges, held and waiting, in the order in which they came. There are never
  // more of them than threads in the device, so a list is as good as a tree.
  private @Nullable Held first;
  private @Nullable Held last;

  RangeLock() {
    this(Pause.NONE);
  }

  RangeLock(Pause pause) {
    this.pause = pause;
  }

  /** A range that a thread holds or waits for; what {@link #unlock} needs. */
  static final class Held {
    private final long start;
    private final long end;
    private @Nullable Thread owner = Thread.currentThread();

    // Under mutex.
    private @Nullable Held before;
    private @Nullable Held behind;
    private int obstacles; // earlier ranges that overlap
    private @Nullable Condition unobstructed; // null if it never had to wait

    private Held(long start, long end) {
      this.start = start;
      this.end = end;
    }

    private boolean overlaps(Held that) {
      return start < that.end && that.start < end;
    }
  }

  /** Locks the guest range from {@code start} up to, and without, {@code end}. */
  Held lock(long start, long end) {
    if (start < 0 || start >= end) {
      throw new IllegalArgumentException("no range: " + start + " to " + end);
    }
    Held range = new Held(start, end);
    mutex.lock();
    try {
      append(range);
      while (range.obstacles > 0) {
        pause.at(Point.RANGE_WAITS);
        waited(range).awaitUninterruptibly();
      }
    } finally {
      mutex.unlock();
    }
    return range;
  }

  /** Gives back what {@link #lock} returned to the calling thread. */
  void unlock(Held range) {
    mutex.lock();
    try {
      if (range.owner != Thread.currentThread()) {
        throw new IllegalMonitorStateException("not held by this thread");
      }
      range.owner = null;
      for (Held later = range.behind; later != null; later = later.behind) {
        if (later.overlaps(range) && --later.obstacles == 0) {
          pause.at(Point.RANGE_FREED);
          waited(later).signal();
        }
      }
      remove(range);
    } finally {
      mutex.unlock();
    }
  }

  private void append(Held range) {
    for (Held earlier = first; earlier != null; earlier = earlier.behind) {
      assert earlier.owner != range.owner : "a thread locks a second range";
      if (earlier.overlaps(range)) {
        range.obstacles++;
      }
    }
    if (range.obstacles > 0) {
      range.unobstructed = mutex.newCondition(); // before it is in the list: it may fail
    }
    range.before = last;
    if (last == null) {
      first = range;
    } else {
      last.behind = range;
    }
    last = range;
  }

  private void remove(Held range) {
    if (range.before == null) {
      first = range.behind;
    } else {
      range.before.behind = range.behind;
    }
    if (range.behind == null) {
      last = range.before;
    } else {
      range.behind.before = range.before;
    }
  }

  private static Condition waited(Held range) {
    Condition condition = range.unobstructed;
    if (condition == null) {
      throw new AssertionError("obstructed, but not waiting");
    }
    return condition;
  }
}
