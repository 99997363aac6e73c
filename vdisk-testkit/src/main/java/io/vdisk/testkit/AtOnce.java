package io.vdisk.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Some threads that do the same from one moment on. */
final class AtOnce {
  static final int THREADS = 4;

  private AtOnce() {}

  /** What one of the threads does. */
  @FunctionalInterface
  interface Body {
    void run(int thread) throws Exception;
  }

  /** Runs {@code body} in all threads; returns when all are done, and passes on what fails. */
  static void run(Body body) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      CountDownLatch start = new CountDownLatch(THREADS);
      List<Callable<Integer>> tasks = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int thread = i;
        tasks.add(
            () -> {
              start.countDown();
              start.await();
              body.run(thread);
              return thread;
            });
      }
      for (Future<Integer> task : threads.invokeAll(tasks)) {
        task.get();
      }
    } catch (ExecutionException e) {
      throw new AssertionError("a thread failed: " + e.getCause(), e.getCause());
    } finally {
      threads.shutdownNow();
    }
  }
}
