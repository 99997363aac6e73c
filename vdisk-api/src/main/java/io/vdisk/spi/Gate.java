package io.vdisk.spi;

import io.vdisk.spi.Pause.Point;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lock 1 of a device: who may pass. Every request holds a <em>slot</em> from before it looks at a
 * table until its last host I/O; a <em>grace period</em> tells when all requests that were in
 * progress at its beginning have left; the <em>exclusive</em> keeps all others out.
 *
 * <p>Any thread may call anything, except: a thread in a slot calls {@link #exit} only. No wait can
 * be interrupted; an interrupt stays pending.
 *
 * <ol>
 *   <li>A request is counted under the parity of an epoch that it saw both before and after it was
 *       counted.
 *   <li>One grace period runs at a time. It is over when every counter of the parity before it has
 *       been 0; each counter by itself, for a sum over moving counters proves nothing.
 *   <li>Who is alone has seen every counter of both parities at 0 after it set CLOSED.
 *   <li>The epoch changes only by atomic updates under {@code mutex}.
 * </ol>
 *
 * <p>Why this is enough. All of it is volatile, so there is one order of all accesses. A request
 * that got its slot counted <em>before</em> its second look, and that look came before the step (or
 * CLOSED) that it did not see; so who polls after that step finds the counter above 0 until the
 * request leaves, and its exit happens before the poll that finds 0: whatever it read or wrote is
 * done. A request whose look came after the step sees everything that happened before it, and is
 * counted under the new parity. A request between its count and its retreat may raise an old
 * counter for a moment; that delays a poll and misleads none. Two periods may not overlap, since a
 * request of the first one's old parity would share it with requests that the second does not wait
 * for. An epoch that was closed and opened in between looks unchanged, which is right: nobody is
 * alone any more. 2^31 grace periods between the two looks of one request would deceive it; 2^32
 * wrap harmlessly.
 *
 * <p>No wake-up is lost: who waits raises {@code watchers} first and looks at the counters then,
 * holding {@code mutex} until it waits; who leaves lowers its counter first and looks at {@code
 * watchers} then. One of the two sees the other, and the signal needs {@code mutex}.
 */
final class Gate {
  /** What {@link #enter} returns to the thread that is alone. */
  static final int NO_SLOT = -1;

  private static final int CLOSED = 1;
  private static final int GRACE_STEP = 2;

  /** Near the end of the int, so that wrapping is not a thing of the distant future. */
  private static final int FIRST_EPOCH = Integer.MAX_VALUE - 101;

  private static final int STRIPES = 64;

  /** 128 bytes apart, in longs: two cache lines, since some processors fetch them in pairs. */
  private static final int SPACING = 16;

  private static final int NONE = -1;

  private final AtomicLongArray counters = new AtomicLongArray(STRIPES * 2 * SPACING);
  private final AtomicInteger epoch = new AtomicInteger(FIRST_EPOCH);

  /** How many threads wait for a counter to become 0. */
  private final AtomicInteger watchers = new AtomicInteger();

  private final Pause pause;

  private final ReentrantLock mutex = new ReentrantLock();
  private final Condition opened = mutex.newCondition();
  private final Condition left = mutex.newCondition();

  // Under mutex.
  private int waning = NONE; // the parity that the running grace period waits for
  private @Nullable Thread owner; // who is alone, or drains in order to be
  private boolean shut;

  Gate() {
    this(Pause.NONE);
  }

  Gate(Pause pause) {
    this.pause = pause;
  }

  /** Takes a slot; waits while another thread is alone. */
  int enter() throws ClosedChannelException {
    int stripe = (int) Thread.currentThread().getId() & (STRIPES - 1);
    for (; ; ) {
      int seen = epoch.get();
      if ((seen & CLOSED) != 0) {
        if (isAlone()) {
          return NO_SLOT;
        }
        continue;
      }
      pause.at(Point.EPOCH_READ);
      int slot = counter(stripe, parity(seen));
      counters.getAndIncrement(slot);
      pause.at(Point.COUNTED);
      if (epoch.get() == seen) {
        return slot;
      }
      exit(slot);
    }
  }

  /** Gives a slot back, as {@link #enter} returned it. */
  void exit(int slot) {
    if (slot == NO_SLOT) {
      return;
    }
    if (counters.getAndDecrement(slot) == 1 && watchers.get() != 0) {
      mutex.lock();
      try {
        left.signalAll();
      } finally {
        mutex.unlock();
      }
    }
  }

  /** Begins a grace period, unless one is running whose end {@link #pollGrace} has not told yet. */
  boolean beginGrace() {
    mutex.lock();
    try {
      if (waning != NONE) {
        return false;
      }
      waning = parity(epoch.getAndAdd(GRACE_STEP));
      return true;
    } finally {
      mutex.unlock();
    }
  }

  /** Whether no grace period is running. Ends the running one if it is over. */
  boolean pollGrace() {
    mutex.lock();
    try {
      return isGraceOver();
    } finally {
      mutex.unlock();
    }
  }

  /** Waits until the grace period that is running now is over. Never inside a slot. */
  void awaitGrace() {
    mutex.lock();
    watchers.getAndIncrement();
    try {
      int awaited = epoch.get() | CLOSED;
      while ((epoch.get() | CLOSED) == awaited && !isGraceOver()) {
        pause.at(Point.GRACE_WAITS);
        left.awaitUninterruptibly();
      }
    } finally {
      watchers.getAndDecrement();
      mutex.unlock();
    }
  }

  /**
   * Waits until the calling thread is alone. Every grace period has then ended. The thread passes
   * {@link #enter} without a slot until it calls {@link #openExclusive}; its helpers do not.
   */
  void closeExclusive() throws ClosedChannelException {
    mutex.lock();
    try {
      if (!close()) {
        throw new ClosedChannelException();
      }
    } finally {
      mutex.unlock();
    }
  }

  /** Lets the others in again; or, after {@link #shut}, ends being alone. */
  void openExclusive() {
    mutex.lock();
    try {
      if (owner != Thread.currentThread()) {
        throw new IllegalMonitorStateException("not alone");
      }
      open();
    } finally {
      mutex.unlock();
    }
  }

  /**
   * Closes for good: who waits or comes later gets {@link ClosedChannelException}. Returns when no
   * request is in progress and nobody is alone, but for the calling thread if it was. Idempotent.
   */
  void shut() {
    mutex.lock();
    try {
      boolean wasAlone = owner == Thread.currentThread();
      if (wasAlone || close()) {
        shut = true;
        opened.signalAll();
        if (!wasAlone) {
          open();
        }
      }
    } finally {
      mutex.unlock();
    }
  }

  /** Waits while the gate is closed to the calling thread; whether it may pass without a slot. */
  private boolean isAlone() throws ClosedChannelException {
    mutex.lock();
    try {
      while ((epoch.get() & CLOSED) != 0) {
        if (owner == Thread.currentThread()) {
          return true;
        }
        if (shut) {
          throw new ClosedChannelException();
        }
        pause.at(Point.ENTRANT_WAITS);
        opened.awaitUninterruptibly();
      }
      return false;
    } finally {
      mutex.unlock();
    }
  }

  private boolean close() {
    if (owner == Thread.currentThread()) {
      throw new IllegalStateException("already alone");
    }
    while (owner != null) {
      pause.at(Point.TURN_WAITS);
      opened.awaitUninterruptibly();
    }
    if (shut) {
      return false;
    }
    owner = Thread.currentThread();
    epoch.getAndUpdate(e -> e | CLOSED);
    watchers.getAndIncrement();
    while (!(isIdle(0) && isIdle(1))) {
      pause.at(Point.DRAINER_WAITS);
      left.awaitUninterruptibly();
    }
    watchers.getAndDecrement();
    waning = NONE;
    return true;
  }

  private void open() {
    owner = null;
    if (!shut) {
      epoch.getAndUpdate(e -> e & ~CLOSED);
    }
    opened.signalAll();
  }

  private boolean isGraceOver() {
    // The owner calls only when it is alone; the counters could show it a request in retreat.
    if (waning != NONE && (owner == Thread.currentThread() || isIdle(waning))) {
      waning = NONE;
    }
    return waning == NONE;
  }

  private boolean isIdle(int parity) {
    for (int stripe = 0; stripe < STRIPES; stripe++) {
      if (counters.get(counter(stripe, parity)) != 0) {
        return false;
      }
    }
    return true;
  }

  private static int parity(int epoch) {
    return (epoch >> 1) & 1;
  }

  private static int counter(int stripe, int parity) {
    return (stripe * 2 + parity) * SPACING;
  }
}
