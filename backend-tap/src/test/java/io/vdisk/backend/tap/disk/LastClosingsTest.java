package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Disks that are closed because their process ends. */
@Timeout(20)
final class LastClosingsTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  /** A disk that is never closed. */
  private static void stuck() {
    CompletableFuture<Void> never = new CompletableFuture<>();
    never.join();
  }

  @Test
  void noneWaitsForAnother() throws Exception {
    CountDownLatch isSecondClosed = new CountDownLatch(1);
    LastClosings closings = new LastClosings(LONG);
    closings.begin(
        "minor 0",
        () -> {
          try {
            isSecondClosed.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
        });
    closings.begin("minor 1", isSecondClosed::countDown);
    closings.await();
  }

  @Test
  void oneWhoseHostNeverAnswersIsNamedWhenTheTimeIsOver() {
    LastClosings closings = new LastClosings(Duration.ofMillis(50));
    closings.begin("minor 0 (aio:/a)", LastClosingsTest::stuck);
    closings.begin("minor 1 (aio:/b)", () -> {});
    DiskException failure = assertThrows(DiskException.class, closings::await);
    assertEquals(Errno.EIO.number(), failure.number());
    assertEquals(
        "minor 0 (aio:/a) is not closed: its host has not answered for 50 ms; what its guest"
            + " flushed is safe",
        failure.sentence());
    assertEquals(0, failure.getSuppressed().length);
    assertEquals(0, closings.millisLeft());
  }

  @Test
  void eachFailureIsTold() {
    LastClosings closings = new LastClosings(LONG);
    closings.begin(
        "minor 0",
        () -> {
          throw new IOException("the last flush of /a failed");
        });
    closings.begin("minor 1", () -> {});
    closings.begin(
        "minor 2",
        () -> {
          throw new IOException("No space left on device");
        });
    closings.begin(
        "minor 3",
        () -> {
          throw new DiskException(Errno.ENOSPC, "minor 3 has no space");
        });
    DiskException failure = assertThrows(DiskException.class, closings::await);
    assertEquals("minor 0 is not closed well: the last flush of /a failed", failure.sentence());
    Throwable[] others = failure.getSuppressed();
    assertEquals("minor 2 is not closed well: No space left on device", others[0].getMessage());
    assertEquals(Errno.ENOSPC.number(), ((DiskException) others[0]).number());
    assertEquals("minor 3 has no space", others[1].getMessage());
  }

  @Test
  void afterAFaultOfTheProgramTheOthersAreWaitedFor() {
    LastClosings closings = new LastClosings(LONG);
    Thread waiter = Thread.currentThread();
    AtomicBoolean isSecondClosed = new AtomicBoolean();
    closings.add("minor 0", CompletableFuture.failedFuture(new IllegalStateException("a fault")));
    closings.begin(
        "minor 1",
        () -> {
          while (waiter.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
          }
          isSecondClosed.set(true);
        });
    assertThrows(IllegalStateException.class, closings::await);
    assertTrue(isSecondClosed.get());
  }

  /** Twice the 30 s of Linux' SCSI disks, and no more than half of TimeoutStopSec in xen.md. */
  @Test
  void theTimeIsAMinute() {
    assertEquals(Duration.ofSeconds(60), LastClosings.PATIENCE);
  }
}
