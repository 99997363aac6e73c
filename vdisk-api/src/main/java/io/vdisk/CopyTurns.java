package io.vdisk;

import com.google.common.util.concurrent.Uninterruptibles;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is to set space aside among the threads of a copy, and what failed. A step's number
 * is its place in the order of the disk. Thread-safe.
 */
final class CopyTurns {
  private final boolean inOrder;

  /** Whether blocks may be shared, as far as is known; changed by whose turn it is. */
  private volatile boolean sharing;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Under lock:
  private final SortedMap<Long, Throwable> failures = new TreeMap<>();
  private long next;
  private boolean ended;

  /**
   * Turns of one copy.
   *
   * @param inOrder false: it is everybody's turn
   * @param sharing whether it is to be tried to share blocks
   */
  CopyTurns(boolean inOrder, boolean sharing) {
    this.inOrder = inOrder;
    this.sharing = sharing;
  }

  /** Waits until all steps before {@code number} are placed; false if one of them failed. */
  boolean await(long number) {
    lock.lock();
    try {
      while (inOrder && next < number && !isOver(number)) {
        changed.awaitUninterruptibly();
      }
      return !isOver(number);
    } finally {
      lock.unlock();
    }
  }

  private boolean isOver(long number) {
    return ended || (!failures.isEmpty() && (!inOrder || failures.firstKey() < number));
  }

  /** Waits so long, or until something failed or nothing is to be written any longer. */
  void pause(long nanos) {
    long end = System.nanoTime() + nanos;
    boolean isEarly = true;
    lock.lock();
    try {
      while (isEarly && !ended && failures.isEmpty()) {
        isEarly =
            Uninterruptibles.awaitUninterruptibly(
                changed, end - System.nanoTime(), TimeUnit.NANOSECONDS);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether blocks may be shared; nobody has found yet that they cannot. */
  boolean isSharing() {
    return sharing;
  }

  /** Blocks cannot be shared: nobody behind is to try. */
  void stopSharing() {
    sharing = false;
  }

  /** The step is placed, and it is the next one's turn; may be said again. */
  void pass(long number) {
    lock.lock();
    try {
      if (next <= number) {
        next = number + 1;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The step failed: those behind it are not to be written. */
  void fail(long number, Throwable failure) {
    lock.lock();
    try {
      failures.put(number, failure);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Nothing is to be written any longer. */
  void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** What failed first in the order of the disk, with the rest suppressed; null if nothing did. */
  @Nullable Throwable failure() {
    lock.lock();
    try {
      Throwable first = null;
      for (Throwable failure : failures.values()) {
        if (first == null) {
          first = failure;
        } else if (!failure.equals(first)) {
          first.addSuppressed(failure);
        }
      }
      return first;
    } finally {
      lock.unlock();
    }
  }
}
