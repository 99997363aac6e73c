package io.vdisk.testkit;

import io.vdisk.file.HostFile;
import io.vdisk.file.HostFlushException;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Which of the operations on several host files fails. It counts those of the selected kinds over
 * all its files, from 0 on. Thread-safe.
 */
public final class FaultPlan {
  private final Set<HostOperation> counted;
  private final ReentrantLock lock = new ReentrantLock();
  private final Random random; // guarded by lock
  private long count; // guarded by lock
  private long failing = Long.MAX_VALUE; // guarded by lock
  private boolean forEver; // guarded by lock
  private boolean failed; // guarded by lock
  private boolean paused; // guarded by lock

  /**
   * A plan under which nothing fails.
   *
   * @param counted the kinds that count and may fail
   * @param seed draws how much of a failing write is written
   */
  public FaultPlan(Set<HostOperation> counted, long seed) {
    this.counted = EnumSet.copyOf(counted);
    this.random = new Random(seed);
  }

  /** The file under this plan; it owns {@code file}. */
  public HostFile on(HostFile file) {
    return new FaultyFile(file, this);
  }

  /** The operation with this number fails, and no other. */
  public void failOnce(long number) {
    fail(number, false);
  }

  /** The operation with this number fails, and all that follow. */
  public void failFrom(long number) {
    fail(number, true);
  }

  /** Until {@link #resume} nothing is counted and nothing fails. */
  public void pause() {
    setPaused(true);
  }

  /** Ends a pause. */
  public void resume() {
    setPaused(false);
  }

  private void setPaused(boolean value) {
    lock.lock();
    try {
      paused = value;
    } finally {
      lock.unlock();
    }
  }

  /** Operations so far. */
  public long count() {
    lock.lock();
    try {
      return count;
    } finally {
      lock.unlock();
    }
  }

  /** Whether one has failed. */
  public boolean hasFailed() {
    lock.lock();
    try {
      return failed;
    } finally {
      lock.unlock();
    }
  }

  private void fail(long number, boolean andAllAfter) {
    lock.lock();
    try {
      failing = number;
      forEver = andAllAfter;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Counts an operation; fails it if it is due.
   *
   * @throws HostFlushException if it is a flush: as every host file's failed flush
   */
  void count(HostOperation operation, String file) throws IOException {
    long number = countUp(operation);
    if (number < 0) {
      return;
    }
    String message = "planned: operation " + number + ", " + operation + " of " + file + ", fails";
    IOException failure = new IOException(message);
    throw operation == HostOperation.FLUSH ? new HostFlushException(message, failure) : failure;
  }

  /** The number of an operation that is to fail; -1 if it is not. */
  private long countUp(HostOperation operation) {
    lock.lock();
    try {
      if (paused || !counted.contains(operation)) {
        return -1;
      }
      long number = count++;
      if (number != failing && !(forEver && number > failing)) {
        return -1;
      }
      failed = true;
      return number;
    } finally {
      lock.unlock();
    }
  }

  /** How many of {@code sectors} a failing write still writes. */
  int prefix(int sectors) {
    lock.lock();
    try {
      return random.nextBoolean() ? 0 : random.nextInt(sectors + 1);
    } finally {
      lock.unlock();
    }
  }
}
