package io.vdisk.backend.tap.disk;

import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Keeps those who use ranges that overlap apart: each stripe of 1 MiB has one of 64 locks, to be
 * held alone or shared. Any thread may call; what it locked it unlocks, and takes no second range
 * before.
 */
final class StripedLocks {
  private static final int COUNT = 64;
  private static final int STRIPE_BITS = 20;

  private final ReentrantReadWriteLock[] locks = new ReentrantReadWriteLock[COUNT];

  StripedLocks() {
    for (int i = 0; i < COUNT; i++) {
      locks[i] = new ReentrantReadWriteLock();
    }
  }

  /** Waits until nobody else uses anything of a range. */
  void lock(long offset, long length) {
    for (long left = used(offset, length); left != 0; left &= left - 1) {
      lowest(left).writeLock().lock();
    }
  }

  /** Lets others use the range that was locked. */
  void unlock(long offset, long length) {
    for (long left = used(offset, length); left != 0; left &= left - 1) {
      lowest(left).writeLock().unlock();
    }
  }

  /** Waits until nobody has anything of a range alone. */
  void lockShared(long offset, long length) {
    for (long left = used(offset, length); left != 0; left &= left - 1) {
      lowest(left).readLock().lock();
    }
  }

  /** Ends that. */
  void unlockShared(long offset, long length) {
    for (long left = used(offset, length); left != 0; left &= left - 1) {
      lowest(left).readLock().unlock();
    }
  }

  private ReentrantReadWriteLock lowest(long used) {
    return locks[Long.numberOfTrailingZeros(used)];
  }

  /**
   * The locks of a range, one bit each: always taken from the lowest on, so nobody waits in a
   * circle.
   */
  private static long used(long offset, long length) {
    long first = offset >> STRIPE_BITS;
    long last = Math.max(first, (offset + length - 1) >> STRIPE_BITS);
    if (last - first >= COUNT - 1) {
      return -1;
    }
    long run = (1L << (last - first + 1)) - 1;
    return Long.rotateLeft(run, (int) (first % COUNT));
  }
}
