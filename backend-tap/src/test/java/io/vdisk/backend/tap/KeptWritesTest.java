package io.vdisk.backend.tap;

import static com.google.common.util.concurrent.Uninterruptibles.awaitUninterruptibly;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the next server would do for a guest if this one were killed now. */
@Timeout(30)
@SuppressWarnings("try") // open is all that a guest must be
class KeptWritesTest {
  private static final long SIZE = 1 << 20;

  @TempDir Path folder;

  private WatchedDisk disk;
  private Guest guest;
  private TapServer server;

  @BeforeEach
  void connect() throws Exception {
    disk = new WatchedDisk(SIZE);
    ServeOptions options =
        new ServeOptions(false, false, new RateLimit(), new RequestStatistics())
            .withWriteLogs(folder.resolve("writes-"));
    CompletableFuture<TapServer> started = new CompletableFuture<>();
    try (SharedFileListener unused =
        SharedFileListener.open(folder.resolve("s"), new OneGuest(disk, options, started))) {
      guest =
          new Guest(
              SharedFileFrontend.connect(
                  folder.resolve("s"),
                  folder.resolve("ring"),
                  new SharedFileLayout(RingAbi.ofHost(), 1, 16)));
      server = started.join();
    }
  }

  @AfterEach
  void leave() throws IOException {
    disk.mayGo.countDown();
    guest.frontend().close();
    server.close();
    disk.close();
  }

  private Path log() {
    long session = guest.frontend().numbers().getLong(SharedFileLayout.SESSION);
    return folder.resolve("writes-" + Long.toHexString(session));
  }

  /** What would be done to the disk, which is asked nothing. */
  private List<String> replayed() throws IOException {
    long session = guest.frontend().numbers().getLong(SharedFileLayout.SESSION);
    Path copy = Files.copy(log(), folder.resolve("copy"));
    try (WatchedDisk other = new WatchedDisk(SIZE)) {
      WriteLog.open(copy, session).replay(other);
      return other.asked();
    } finally {
      Files.delete(copy);
    }
  }

  @Test
  void writeThatWasAnsweredIsDoneAgainUntilAFlush() throws Exception {
    guest.write(8, new byte[4096]);
    assertEquals(List.of("write 4096 4096", "flush -2 0"), replayed());

    assertEquals(0, guest.status(r -> r.operation(3, 0)));

    assertEquals(List.of(), replayed());
  }

  @Test
  void writeThatWasAnsweredWhileAFlushWasUnderWayIsDoneAgain() throws Exception {
    disk.waitsAt = -2;
    guest.write(8, new byte[4096]);
    long flush = guest.ask(r -> r.operation(3, 0));
    disk.arrived.await();
    guest.write(16, new byte[512]);
    disk.mayGo.countDown();

    assertEquals(0, guest.answer(flush).status());

    assertEquals(List.of("write 8192 512", "flush -2 0"), replayed());
  }

  @Test
  void whatWasWrittenBeforeAPauseIsNotDoneAgain() throws Exception {
    guest.write(8, new byte[4096]);

    server.pause(); // others may change the image from now on

    assertEquals(List.of("write 4096 4096", "flush -2 0"), disk.asked());
    assertEquals(List.of(), replayed());
    server.resume(disk);
  }

  @Test
  void pauseOfARingWhoseGuestHasLeftIsHarmless() throws Exception {
    guest.write(8, new byte[4096]);
    guest.frontend().close();
    server.awaitEnd();

    server.pause();

    assertEquals(List.of("write 4096 4096", "flush -2 0"), disk.asked());
  }

  @Test
  void whatCannotBeMadeDurableAtAPauseIsKept() throws Exception {
    guest.write(8, new byte[4096]);
    disk.failsAt = -2;

    server.pause();

    disk.failsAt = -1;
    assertEquals(List.of("write 4096 4096", "flush -2 0"), replayed());
    server.resume(disk);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 15})
  void ofWritesThatOverlapTheOneThatTheDiskHoldsIsDoneAgainLast(int later) throws Exception {
    AtomicBoolean isFirst = new AtomicBoolean(true);
    disk.afterWrite =
        () -> {
          if (isFirst.getAndSet(false)) {
            disk.arrived.countDown();
            awaitUninterruptibly(disk.mayGo);
          }
        };
    guest.frontend().data().put(0, new byte[] {1}).put(4096, new byte[] {2});
    long first = guest.ask(r -> r.operation(1, 8).segment(0, 0, 7).segment(2, 0, 7));
    disk.arrived.await();
    long second = guest.ask(r -> r.operation(1, 8 + later).segment(1, 0, 0));
    while (guest.frontend().ring().waiting() == 0 && !isAWriteWaiting()) {
      Thread.onSpinWait();
    }
    disk.mayGo.countDown();

    assertEquals(0, guest.answer(first).status());
    assertEquals(0, guest.answer(second).status());

    String last = "write " + (8 + later) * 512 + " 512";
    assertEquals(List.of("write 4096 8192", last, "flush -2 0"), replayed());
  }

  /** For the one that waits at the disk. */
  private static boolean isAWriteWaiting() {
    return Thread.getAllStackTraces().values().stream()
            .map(Arrays::toString)
            .filter(trace -> trace.contains("LockSupport.park") && trace.contains("Service.write"))
            .count()
        == 2;
  }

  @Test
  void whatWasWrittenToOneDeviceIsNotDoneAgainOnAnother() throws Exception {
    guest.write(8, new byte[4096]);
    disk.failsAt = -2; // it stays kept, and whoever closes the images makes it durable
    server.pause();
    disk.failsAt = -1;
    try (BlockDevice other = Images.ram(SIZE)) {
      server.resume(other);

      assertEquals(List.of(), replayed());

      server.pause();
    }
    server.resume(disk);
  }

  @Test
  void ringThatEndsLeavesAllDurableAndNothingToDo() throws Exception {
    guest.write(8, new byte[4096]);
    Path log = log();

    server.close();

    assertEquals(List.of("write 4096 4096", "flush -2 0"), disk.asked());
    assertFalse(Files.exists(log));
  }
}
