package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.backend.tap.DiskLogs;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a guest's ring is served from, when its images are about to be closed. */
@Timeout(60)
final class GuestDeviceTest {
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch mayEnd = new CountDownLatch(1);
  private final AtomicInteger flushes = new AtomicInteger();

  private final class SlowToFlush extends ForwardingDevice {
    SlowToFlush(BlockDevice device) {
      super(device);
    }

    @Override
    public void flush() throws IOException {
      begun.countDown();
      try {
        mayEnd.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      flushes.incrementAndGet();
    }
  }

  /** The server of a guest that leaves flushes while nobody knows yet that it ends. */
  @Test
  void noFlushIsUnderWayOnceItIsSettledAndNoneBegins() throws Exception {
    ExecutorService pool = Executors.newCachedThreadPool();
    try (BlockDevice ram = Images.ram(4096)) {
      GuestDevice device =
          new GuestDevice(new SlowToFlush(ram), new DiskLogs(), new LongAdder(), new LongAdder());
      Future<?> leaving =
          pool.submit(
              () -> {
                device.flush();
                return 0;
              });
      begun.await();
      Thread settling = new Thread(device::settle);
      settling.start();
      while (settling.isAlive() && settling.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      assertFalse(settling.getState() == Thread.State.TERMINATED, "it waits for the flush");

      mayEnd.countDown();
      settling.join();
      leaving.get(60, TimeUnit.SECONDS);
      device.flush();
      assertEquals(1, flushes.get());
    } finally {
      mayEnd.countDown();
      pool.shutdownNow();
    }
  }
}
