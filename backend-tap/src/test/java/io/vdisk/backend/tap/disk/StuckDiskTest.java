package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.SharedFileFrontend;
import io.vdisk.backend.tap.SharedFileLayout;
import io.vdisk.backend.tap.SharedFileListener;
import io.vdisk.backend.tap.TapTransport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A disk whose host never answers a read of its guest. */
@Timeout(20)
final class StuckDiskTest {
  @TempDir Path folder;

  private final ExecutorService pool = Executors.newCachedThreadPool();
  private final CountDownLatch arrived = new CountDownLatch(1);
  private final CountDownLatch answers = new CountDownLatch(1);
  private final CompletableFuture<ServedRing> ring = new CompletableFuture<>();
  private TapDisk disk;
  private SharedFileListener listener;
  private SharedFileFrontend guest;

  /** Reads that wait for the latch, and closes when it is closed. */
  private final class StuckDevice extends ForwardingDevice {
    StuckDevice(BlockDevice device) {
      super(device);
    }

    @Override
    public void read(ByteBuffer dst, long offset) throws IOException {
      arrived.countDown();
      try {
        answers.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      super.read(dst, offset);
    }
  }

  @BeforeEach
  void serve() throws Exception {
    disk =
        new TapDisk(
            3,
            DiskPolicy.DEFAULT,
            new RamDisks(1 << 20),
            (transport, device, options) -> Ring.serve(transport, new StuckDevice(device), options),
            Duration.ofMillis(50));
    Path image = Files.write(folder.resolve("image"), new byte[4096]);
    disk.open(OpenRequest.of("aio:" + image));
    listener =
        SharedFileListener.open(
            folder.resolve("s"),
            new SharedFileListener.Disk() {
              @Override
              public DiskInfo info() {
                return disk.info();
              }

              @Override
              public void serve(TapTransport transport) throws IOException {
                ring.complete(disk.serve(transport));
              }
            });
    guest =
        SharedFileFrontend.connect(
            folder.resolve("s"),
            folder.resolve("ring"),
            new SharedFileLayout(RingAbi.ofHost(), 1, 1));
    guest.ring().next().operation(0, 0).segment(0, 0, 7);
    guest.ring().put();
    guest.ring().publish();
    guest.ringBell();
    arrived.await();
  }

  @AfterEach
  void letGo() throws IOException {
    answers.countDown();
    listener.close();
    guest.close();
    pool.shutdownNow();
  }

  private void refused(org.junit.jupiter.api.function.Executable body) {
    DiskException e = assertThrows(DiskException.class, body);
    assertEquals(Errno.EIO.number(), e.number());
    assertEquals(
        "disk 3 was given up: the host never answered; it can only be detached", e.sentence());
  }

  @Test
  void forcedClosingGivesItUp() throws Exception {
    disk.close(true);

    assertEquals(3, disk.state());
    assertEquals(Optional.empty(), disk.name());
    refused(() -> disk.open(OpenRequest.of("ram:4K")));
    disk.close(false);
    disk.close(true);
    disk.detach();
  }

  /** So that its guest's place in the process is free for another disk. */
  @Test
  void ringOfADiskThatWasGivenUpIsNotServed() throws Exception {
    assertTrue(ring.get().isServing());

    disk.close(true);

    assertFalse(ring.get().isServing());
    disk.detach();
  }

  @Test
  void whoeverWaitsForItIsToldThatItWasGivenUp() throws Exception {
    Future<?> pausing =
        pool.submit(
            () -> {
              disk.pause();
              return 0;
            });
    while ((disk.state() & DiskState.PAUSE_REQUESTED) == 0) {
      Thread.onSpinWait();
    }

    disk.close(true);

    ExecutionException told = assertThrows(ExecutionException.class, pausing::get);
    refused(
        () -> {
          throw told.getCause();
        });
    disk.detach();
  }

  @Test
  void forcedClosingOfADiskThatAnswersInTimeIsAClosing() throws Exception {
    answers.countDown();

    TapDisk other = new TapDisk(4, DiskPolicy.DEFAULT, new RamDisks(1 << 20));
    other.open(OpenRequest.of("ram:4K"));
    other.close(true);

    assertEquals(2, other.state());
    other.open(OpenRequest.of("ram:4K"));
    other.close(true);
  }
}
