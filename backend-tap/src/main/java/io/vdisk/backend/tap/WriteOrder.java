package io.vdisk.backend.tap;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets writes that overlap follow each other, so that a log has them in the order in which the disk
 * has them. A guest that asks for such at the same time may find either in the end, but the same
 * one from then on. Any thread may call.
 */
final class WriteOrder {
  /** What a write is, from its bytes on the disk to its record in the log. */
  interface Write {
    void run() throws IOException;
  }

  /** Bytes of the disk, without that at {@code end}. */
  private record Range(long start, long end) {
    boolean overlaps(Range that) {
      return start < that.end && that.start < end;
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ended = lock.newCondition();

  /** What is being written; no two overlap. Under lock. */
  private final Set<Range> held = new HashSet<>();

  /** Writes while no other one does that overlaps. */
  void write(long offset, int length, Write write) throws IOException {
    Range range = new Range(offset, offset + length);
    begin(range);
    try {
      write.run();
    } finally {
      end(range);
    }
  }

  private void begin(Range range) {
    lock.lock();
    try {
      while (isHeld(range)) {
        ended.awaitUninterruptibly();
      }
      held.add(range);
    } finally {
      lock.unlock();
    }
  }

  private boolean isHeld(Range range) {
    for (Range other : held) {
      if (other.overlaps(range)) {
        return true;
      }
    }
    return false;
  }

  private void end(Range range) {
    lock.lock();
    try {
      held.remove(range);
      ended.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
