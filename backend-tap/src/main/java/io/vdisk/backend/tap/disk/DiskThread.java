package io.vdisk.backend.tap.disk;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What is done to a disk as a whole, one thing after another, on a thread of its own: so whoever
 * waits for it need not wait for ever. If the host never answers, the disk is given up: who waits
 * is told so, nothing more is done, and the thread is left to the host. Any thread may call, but
 * this one.
 */
final class DiskThread {
  /** Something that is done to a disk. */
  @FunctionalInterface
  interface Operation<T> {
    T run() throws IOException;
  }

  private static final long IDLE_SECONDS = 5;

  private final String name;
  private final ThreadPoolExecutor thread;
  private final Set<CompletableFuture<?>> waiting = ConcurrentHashMap.newKeySet();
  private volatile boolean isGivenUp;

  DiskThread(String name) {
    this.name = name;
    this.thread =
        new ThreadPoolExecutor(
            0, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), this::thread);
  }

  private Thread thread(Runnable work) {
    Thread made = new Thread(work, name);
    made.setDaemon(true); // the process ends, whatever the host does
    return made;
  }

  /** Whether nothing is done any longer. */
  boolean isGivenUp() {
    return isGivenUp;
  }

  /**
   * Does something when all before it is done.
   *
   * @throws DiskException what it failed with; EIO if the disk is given up, or is meanwhile
   */
  <T> T call(Operation<T> operation) throws DiskException {
    try {
      return Uninterruptibles.getUninterruptibly(begin(operation));
    } catch (ExecutionException e) {
      throw failure(e);
    }
  }

  /** The same with what has no result. */
  void run(FirstFailure.Step step) throws DiskException {
    boolean unused = call(() -> done(step));
  }

  private static boolean done(FirstFailure.Step step) throws IOException {
    step.run();
    return true;
  }

  /** The same, and gives the disk up if it is not done in this time. */
  void runWithin(Duration patience, FirstFailure.Step step) throws DiskException {
    CompletableFuture<Boolean> end = begin(() -> done(step));
    try {
      boolean unused =
          Uninterruptibles.getUninterruptibly(end, patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      isGivenUp = true;
      waiting.forEach(this::tellGivenUp);
    } catch (ExecutionException e) {
      throw failure(e);
    }
  }

  /** Little more will come, if anything: the thread ends whenever there is nothing to do. */
  void rest() {
    thread.setKeepAliveTime(0, TimeUnit.SECONDS);
  }

  private <T> CompletableFuture<T> begin(Operation<T> operation) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    waiting.add(answer);
    thread.execute(() -> carryOut(operation, answer));
    if (isGivenUp) { // looked at after it waits, so that it is told here or there
      tellGivenUp(answer);
    }
    return answer;
  }

  @SuppressWarnings("UndefinedEquals") // the very answer
  private <T> void carryOut(Operation<T> operation, CompletableFuture<T> answer) {
    try {
      if (!answer.isDone()) {
        answer.complete(operation.run());
      }
    } catch (IOException | RuntimeException | Error e) {
      answer.completeExceptionally(e);
    } finally {
      waiting.remove(answer);
    }
  }

  private void tellGivenUp(CompletableFuture<?> answer) {
    answer.completeExceptionally(
        new DiskException(
            Errno.EIO, name + " was given up: the host never answered; it can only be detached"));
  }

  /** What an operation of a disk failed with; faults of this program are thrown as they are. */
  static DiskException failure(ExecutionException e) {
    Throwable cause = Objects.requireNonNull(e.getCause());
    if (cause instanceof RuntimeException fault) {
      throw fault;
    }
    if (cause instanceof Error fault) {
      throw fault;
    }
    return DiskException.of((IOException) cause);
  }
}
