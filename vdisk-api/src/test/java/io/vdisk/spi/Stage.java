package io.vdisk.spi;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Directs threads through an interleaving: starts them, stops them at a {@link Pause.Point}, tells
 * where they wait. Its threads are daemons, so that a test that fails leaves nothing that hangs.
 */
final class Stage implements Pause {
  /** How long something that must happen may take on a busy machine, in seconds. */
  private static final int PATIENCE = 10;

  private final Map<Point, Semaphore> arrivals = new EnumMap<>(Point.class);
  private final Map<Point, Runnable> actions = new ConcurrentHashMap<>();

  Stage() {
    for (Point point : Point.values()) {
      arrivals.put(point, new Semaphore(0));
    }
  }

  @Override
  public void at(Point point) {
    arrivals.get(point).release();
    Runnable action = actions.remove(point);
    if (action != null) {
      action.run();
    }
  }

  /** The next thread that comes to the point does this there. */
  void once(Point point, Runnable action) {
    actions.put(point, action);
  }

  /** The next thread that comes to the point stops there until it may go on. */
  Stop stopAt(Point point) {
    Stop stop = new Stop();
    once(point, stop);
    return stop;
  }

  /** Where a thread stops. */
  static final class Stop implements Runnable {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);

    @Override
    public void run() {
      reached.countDown();
      pass(released);
    }

    void awaitReached() {
      pass(reached);
    }

    void release() {
      released.countDown();
    }
  }

  /** An act on a thread of its own. */
  static final class Act<T> extends FutureTask<T> {
    private final Thread thread = new Thread(this);

    Act(Callable<T> body) {
      super(body);
    }

    Thread thread() {
      return thread;
    }

    /** What it returned; fails if it does not end. */
    T result() throws Exception {
      return get(PATIENCE, TimeUnit.SECONDS);
    }

    /** Fails if it ends before its thread is parked. */
    void awaitParked() {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE);
      while (thread.getState() != Thread.State.WAITING && !isDone()) {
        assertTrue(System.nanoTime() < deadline, "neither parked nor done");
        Thread.onSpinWait();
      }
    }
  }

  static <T> Act<T> start(Callable<T> body) {
    Act<T> act = new Act<>(body);
    act.thread().setDaemon(true);
    act.thread().start();
    return act;
  }

  static Act<Void> run(Body body) {
    return start(
        () -> {
          body.run();
          return null;
        });
  }

  /** What an act without a result does. */
  @FunctionalInterface
  interface Body {
    void run() throws Exception;
  }

  /** How often threads have come to the point, without those told by {@link #assertWaits}. */
  int arrivals(Point point) {
    return arrivals.get(point).availablePermits();
  }

  /** Returns when the act has come to the point, where it waits; fails if it ends instead. */
  void assertWaits(Act<?> act, Point point) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE);
    while (!arrivals.get(point).tryAcquire(1, TimeUnit.MILLISECONDS)) {
      if (act.isDone()) {
        fail("did not wait at " + point + ": " + act);
      }
      assertTrue(System.nanoTime() < deadline, "not at " + point);
    }
  }

  private static void pass(CountDownLatch latch) {
    try {
      assertTrue(latch.await(PATIENCE, TimeUnit.SECONDS), "nobody came");
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
