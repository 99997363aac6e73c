package io.vdisk;

import com.google.common.math.LongMath;
import java.math.RoundingMode;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets a copy write at most so many bytes in a second: who comes waits until those before would be
 * written at that rate. Nothing is saved up while nobody comes. Thread-safe.
 */
final class CopyRate {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final long bytesPerSecond;
  private final CopyClock clock;
  private final ReentrantLock lock = new ReentrantLock();

  /** When all that was let go is written at the rate; under lock. */
  private long free;

  /**
   * A rate from now on.
   *
   * @param bytesPerSecond 0: as many as come
   */
  CopyRate(long bytesPerSecond, CopyClock clock) {
    this.bytesPerSecond = bytesPerSecond;
    this.clock = clock;
    this.free = clock.nanos();
  }

  /** The same number of bytes a second, if it is one. */
  static long check(long bytesPerSecond) {
    if (bytesPerSecond < 0) {
      throw new IllegalArgumentException(bytesPerSecond + " bytes a second");
    }
    return bytesPerSecond;
  }

  /** Waits until so many bytes may be written, or the copy is over. */
  void await(long bytes, CopyTurns turns) {
    if (bytesPerSecond == 0 || bytes == 0) {
      return;
    }
    long wait = take(bytes);
    if (wait > 0) {
      clock.pause(wait, turns);
    }
  }

  /** Nanoseconds until they may go; their own time comes after that. */
  private long take(long bytes) {
    long own =
        LongMath.divide(
            LongMath.saturatedMultiply(bytes, SECOND), bytesPerSecond, RoundingMode.CEILING);
    lock.lock();
    try {
      long now = clock.nanos();
      long wait = Math.max(0, free - now);
      free = now + wait + own;
      return wait;
    } finally {
      lock.unlock();
    }
  }
}
