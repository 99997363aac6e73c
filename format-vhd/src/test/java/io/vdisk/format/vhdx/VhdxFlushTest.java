package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.HostOperation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How often the host is flushed, and that the log is not written for each request. */
class VhdxFlushTest {
  private static final int MIB = 1 << 20;

  private final CrashDisk disk = new CrashDisk();
  private final Map<HostOperation, Integer> counts = new EnumMap<>(HostOperation.class);
  private int logWrites;

  private BlockDevice create() throws IOException {
    BlockDevice device =
        Images.create(
            disk.file("image"),
            CreateOptions.of("vhdx", 64 * MIB)
                .withFormats(VhdxSubject.FORMATS)
                .withOption("block_size", "1048576"));
    device.write(ByteBuffer.allocate(512), 0);
    device.flush();
    disk.setHook(
        event -> {
          if (event.done()) {
            counts.merge(event.operation(), 1, Integer::sum);
            boolean isLog = event.offset() >= MIB && event.offset() < 2 * MIB;
            logWrites += event.operation() == HostOperation.WRITE && isLog ? 1 : 0;
          }
        });
    return device;
  }

  private int flushes() {
    return counts.getOrDefault(HostOperation.FLUSH, 0);
  }

  @Test
  void flushAfterWritesInPlaceTakesOne() throws IOException {
    try (BlockDevice device = create()) {
      device.write(ByteBuffer.allocate(4096), 8192);
      device.flush();
      assertEquals(1, flushes());
      assertEquals(0, logWrites);
    }
  }

  @Test
  void flushAfterAllocatingWritesTakesThree() throws IOException {
    try (BlockDevice device = create()) {
      for (int block = 1; block < 50; block++) {
        device.write(ByteBuffer.allocate(4096), (long) block * MIB);
      }
      assertEquals(0, logWrites, "the log is written by a flush");
      device.flush();
      assertEquals(3, flushes(), "data, log, table");
      assertEquals(1, logWrites);
    }
  }

  @Test
  void flushWithNothingToDoTakesNone() throws IOException {
    try (BlockDevice device = create()) {
      device.flush();
      device.flush();
      assertEquals(0, flushes());
    }
  }
}
