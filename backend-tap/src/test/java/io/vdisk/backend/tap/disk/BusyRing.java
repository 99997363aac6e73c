package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.PlayedTransport;
import io.vdisk.backend.tap.ServeOptions;
import io.vdisk.backend.tap.TapTransport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;

/**
 * A guest's ring with a guest that never rests: it writes to a part of the disk that is its own,
 * and checks what it wrote.
 */
final class BusyRing implements Ring {
  private static final int SECTORS = 64;
  private static final int SECTOR = 512;

  private final long start;
  private final Random random;
  private final byte[] written = new byte[SECTORS];
  private final Semaphore turn = new Semaphore(1, true);
  private final CountDownLatch begun = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run);
  private boolean isPaused; // by one control thread after the other
  private volatile BlockDevice device;
  private volatile boolean isEnding;
  volatile Throwable failure;

  BusyRing(long start, long seed) {
    this.start = start;
    this.random = new Random(seed);
  }

  static Ring start(TapTransport transport, BlockDevice device, ServeOptions options) {
    BusyRing ring = (BusyRing) ((PlayedTransport) transport).server();
    ring.device = device;
    ring.thread.start();
    return ring;
  }

  private void run() {
    try {
      while (!isEnding) {
        turn.acquire();
        try {
          if (!isEnding) {
            request();
          }
        } finally {
          turn.release();
        }
      }
    } catch (InterruptedException | IOException | RuntimeException | Error e) {
      failure = e;
      begun.countDown();
    }
  }

  private void request() throws IOException {
    int sector = random.nextInt(SECTORS);
    byte[] found = Bytes.read(device, start + sector * SECTOR, SECTOR);
    if (!Arrays.equals(Bytes.of(written[sector], SECTOR), found)) {
      throw new AssertionError("sector " + sector + " has lost what was written");
    }
    written[sector] = (byte) random.nextInt();
    Bytes.write(device, start + sector * SECTOR, written[sector], SECTOR);
    if (random.nextInt(8) == 0) {
      device.flush();
    }
    begun.countDown();
  }

  /** Returns when the guest has had an answer, or failed. */
  void awaitRequest() throws InterruptedException {
    begun.await();
  }

  @Override
  public void pause() {
    if (!isPaused) {
      turn.acquireUninterruptibly();
      isPaused = true;
    }
  }

  @Override
  public void resume(BlockDevice next, Optional<Path> writeLogs) {
    device = next;
    if (isPaused) {
      isPaused = false;
      turn.release();
    }
  }

  /** What its disk is given to serve. */
  TapTransport transport() {
    return new PlayedTransport(this);
  }

  @Override
  public void announceSize() {
    // it never looks
  }

  @Override
  public boolean isServing() {
    return failure == null && !isEnding;
  }

  @Override
  public void close() {
    isEnding = true;
    if (isPaused) {
      isPaused = false;
      turn.release();
    }
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
