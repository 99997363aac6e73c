package io.vdisk.backend.tap;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * The lead of a ring: the worker that has it takes requests, the others do theirs or queue for it.
 * It is passed on, held back while its worker waits for something, and stopped by whoever pauses or
 * ends.
 *
 * <p>Whatever makes a worker wait, or lets another one go on, settles its accesses to the guest's
 * memory first ({@link TapTransport#settle}). Any thread may command; the rest is for workers, and
 * but for {@link #take} and {@link #takeAgain} for the one that leads.
 */
final class Lead {
  /** So long a limit is believed, which may change meanwhile. */
  private static final long MOST_LIMIT_NANOSECONDS = 100_000_000;

  /** A worker that was not needed for so long leaves. */
  private static final long IDLE_NANOSECONDS = 10_000_000_000L;

  private final TapTransport transport;
  private final AtomicInteger inFlight;
  private final int mostWorkers;
  private final Runnable starter;
  private final long idleNanoseconds;

  /** Held by the worker that takes, and by whoever stops it. */
  private final ReentrantLock lock = new ReentrantLock();

  /** Workers may go on. */
  private final Condition released = lock.newCondition();

  /** A worker came back: perhaps it was the last that was away. */
  private final Condition returned = lock.newCondition();

  // Read without the lock, too.
  private volatile boolean isPaused;
  private volatile boolean isEnding;
  private volatile boolean isGivenUp;

  // Under lock.
  private boolean isHeldBack; // by a leader that waits for something
  private int workers;

  /**
   * A lead that nobody has.
   *
   * @param inFlight requests that were taken and are not answered
   * @param starter starts a worker
   */
  Lead(TapTransport transport, AtomicInteger inFlight, int mostWorkers, Runnable starter) {
    this(transport, inFlight, mostWorkers, starter, IDLE_NANOSECONDS);
  }

  Lead(
      TapTransport transport,
      AtomicInteger inFlight,
      int mostWorkers,
      Runnable starter,
      long idleNanoseconds) {
    this.idleNanoseconds = idleNanoseconds;
    this.transport = transport;
    this.inFlight = inFlight;
    this.mostWorkers = mostWorkers;
    this.starter = starter;
  }

  /** The first worker begins. */
  void begin() {
    lock.lock();
    try {
      addWorker();
    } finally {
      lock.unlock();
    }
  }

  private void addWorker() {
    starter.run(); // it begins by waiting for the lead
    workers++;
  }

  /** False where the host lets no further thread be made. */
  private boolean hasAddedWorker() {
    try {
      addWorker();
      return true;
    } catch (OutOfMemoryError e) {
      return false;
    }
  }

  /** Nobody takes any further request; returns when none is on its way. Again is harmless. */
  void pause() {
    isPaused = true;
    transport.wake();
    lock.lock();
    try {
      while (inFlight.get() > 0) {
        returned.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Goes on after a pause, when this has been done. */
  void resume(Runnable step) {
    lock.lock();
    try {
      step.run();
      isPaused = false;
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Has all workers end, also those that wait. */
  void close() {
    isEnding = true;
    transport.wake();
    lock.lock();
    try {
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** No request is taken any longer. */
  void end() {
    isEnding = true;
  }

  /** The same, and some of what was taken will not be done. */
  void giveUp() {
    isGivenUp = true;
    isEnding = true;
  }

  boolean isEnding() {
    return isEnding;
  }

  /** Whether some of what was taken will not be done. */
  boolean isGivenUp() {
    return isGivenUp;
  }

  /** Whether somebody pauses or ends, who is not to be kept waiting. */
  boolean isStopping() {
    return isPaused || isEnding;
  }

  /** Whether no request may be taken for now. */
  boolean isStopped() {
    return isPaused || isHeldBack;
  }

  /** Takes the lead. */
  void take() {
    lock.lock();
  }

  /**
   * Queues for the lead; false if it was not needed for so long that it may leave, and another one
   * waits to lead.
   */
  boolean takeAgain() {
    transport.settle();
    try {
      if (lock.tryLock(idleNanoseconds, NANOSECONDS)) {
        returned.signalAll();
        return true;
      }
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts a worker", e);
    }
    lock.lock();
    returned.signalAll();
    return workers == 1 || !lock.hasQueuedThreads();
  }

  boolean isHeld() {
    return lock.isHeldByCurrentThread();
  }

  /**
   * Gives the lead to another worker, which is started if none waits and there may be more. Where
   * it cannot be started this one keeps the lead.
   */
  void pass() {
    transport.settle();
    if (lock.hasQueuedThreads() || workers == mostWorkers || hasAddedWorker()) {
      lock.unlock();
    }
  }

  /** Waits while it is stopped, or until the end. */
  void awaitRelease() {
    while (isStopped() && !isEnding) {
      transport.settle();
      returned.signalAll(); // a pause may have begun while this one held a request back
      released.awaitUninterruptibly();
    }
  }

  /** Leads on when no more requests than these are on their way. */
  void awaitCalm(int own) {
    transport.settle();
    isHeldBack = true;
    while (inFlight.get() > own) {
      returned.awaitUninterruptibly();
    }
    isHeldBack = false;
    released.signalAll();
  }

  /**
   * Waits as long as a limit wants; whoever pauses or ends does not wait for that.
   *
   * @param limit tells how many nanoseconds are left
   */
  void holdBack(LongSupplier limit) {
    transport.settle();
    isHeldBack = true;
    try {
      long nanoseconds = limit.getAsLong();
      while (nanoseconds > 0 && !isStopping()) {
        long unused = released.awaitNanos(Math.min(nanoseconds, MOST_LIMIT_NANOSECONDS));
        nanoseconds = limit.getAsLong();
      }
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts a worker", e);
    } finally {
      isHeldBack = false;
      released.signalAll();
    }
  }

  /** A worker leaves, and has the lead until {@link #release}; true if it is the last. */
  boolean leave() {
    workers--;
    returned.signalAll();
    released.signalAll();
    return workers == 0;
  }

  /** The end of a worker that has left. */
  void release() {
    lock.unlock();
  }
}
