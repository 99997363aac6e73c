package io.vdisk.backend.tap.disk;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The end of all disks of a process. Each is closed by a thread of its own, so that one whose host
 * never answers keeps no other waiting; and all together are waited for so long, and no longer.
 * What a guest flushed is durable whatever comes of that: a flush is answered when it is. One
 * thread at a time.
 */
public final class LastClosings {
  /**
   * So long are they waited for: half of the time that docs/xen.md has systemd wait for all of it,
   * and twice the 30 s after which Linux tries a command of a SCSI disk again.
   */
  public static final Duration PATIENCE = Duration.ofSeconds(60);

  private record Disk(String name, CompletableFuture<?> end) {}

  private final Duration patience;
  private final long begun = System.nanoTime();
  private final List<Disk> disks = new ArrayList<>();

  /** None yet; the time begins now. */
  public LastClosings(Duration patience) {
    this.patience = patience;
  }

  /**
   * Begins to close a disk.
   *
   * @param name what to call it if that never ends
   */
  public void begin(String name, FirstFailure.Step closing) {
    CompletableFuture<Boolean> end = new CompletableFuture<>();
    Thread thread = new Thread(() -> carryOut(closing, end), "closing " + name);
    thread.setDaemon(true); // the process ends, whatever the host does
    thread.start();
    add(name, end);
  }

  private static void carryOut(FirstFailure.Step closing, CompletableFuture<Boolean> end) {
    try {
      closing.run();
      end.complete(true);
    } catch (IOException | RuntimeException | Error e) {
      end.completeExceptionally(e);
    }
  }

  /** A disk that another thread, or another process, closes already. */
  public void add(String name, CompletableFuture<?> end) {
    disks.add(new Disk(name, end));
  }

  /** How many milliseconds they are waited for yet; 0: no longer. */
  public long millisLeft() {
    long left = patience.toNanos() - (System.nanoTime() - begun);
    return Math.max(0, TimeUnit.NANOSECONDS.toMillis(left));
  }

  /**
   * Returns when all are closed, or the time is over.
   *
   * @throws IOException the first failure, with the others in it; EIO for a disk that is not closed
   */
  public void await() throws IOException {
    awaitAll();
    FirstFailure failure = new FirstFailure();
    disks.forEach(disk -> failure.run(() -> check(disk)));
    failure.check();
  }

  /** Whatever becomes of one, the others are waited for. */
  private void awaitAll() {
    CompletableFuture<?>[] ends =
        disks.stream().map(Disk::end).toArray(CompletableFuture<?>[]::new);
    try {
      Object unused =
          Uninterruptibles.getUninterruptibly(
              CompletableFuture.allOf(ends), millisLeft(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      assert e != null; // each is asked why
    }
  }

  private void check(Disk disk) throws IOException {
    if (!disk.end().isDone()) {
      throw new DiskException(
          Errno.EIO,
          String.format(
              "%s is not closed: its host has not answered for %s; what its guest flushed is safe",
              disk.name(), said(patience)));
    }
    try {
      Object unused = Uninterruptibles.getUninterruptibly(disk.end());
    } catch (ExecutionException e) {
      throw named(disk, DiskThread.failure(e));
    }
  }

  /** What the host says tells no disk. */
  private static DiskException named(Disk disk, DiskException failure) {
    if (failure.sentence().startsWith(disk.name())) {
      return failure;
    }
    String sentence = disk.name() + " is not closed well: " + failure.sentence();
    DiskException named = new DiskException(failure.number(), sentence);
    named.initCause(failure);
    for (Throwable other : failure.getSuppressed()) {
      named.addSuppressed(other);
    }
    return named;
  }

  private static String said(Duration time) {
    return time.toMillisPart() == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
  }
}
