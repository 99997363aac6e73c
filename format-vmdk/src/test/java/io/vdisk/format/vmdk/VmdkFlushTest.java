package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.HostOperation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** How often the host is flushed, and that tables are not written for each request. */
class VmdkFlushTest {
  private final CrashDisk disk = new CrashDisk();
  private final List<CrashDisk.Event> events = new ArrayList<>();

  private BlockDevice create(String... options) throws IOException {
    VmdkSubject subject = new VmdkSubject("monolithicSparse", 1, 64 << 20, List.of(options));
    List<HostFile> files = List.of(new KeptFile(disk.file("image0")));
    subject.create(files, subject.size(), Optional.empty());
    BlockDevice device = subject.open(files, true, Optional.empty());
    device.write(ByteBuffer.allocate(512), 0);
    device.flush();
    disk.setHook(
        event -> {
          if (event.done()) {
            events.add(event);
          }
        });
    return device;
  }

  private long count(HostOperation operation) {
    return events.stream().filter(event -> event.operation() == operation).count();
  }

  @Test
  void flushAfterWritesInPlaceTakesOne() throws IOException {
    try (BlockDevice device = create()) {
      device.write(ByteBuffer.allocate(4096), 8192);
      device.flush();
      assertEquals(1, count(HostOperation.FLUSH));
      assertEquals(1, count(HostOperation.WRITE));
    }
  }

  @Test
  void flushAfterAllocatingWritesTakesTwoAndWritesEachCopyOnce() throws IOException {
    try (BlockDevice device = create()) {
      for (int grain = 1; grain < 100; grain++) {
        device.write(ByteBuffer.allocate(65_536), grain * 65_536L);
      }
      assertEquals(99, count(HostOperation.WRITE), "tables are written by a flush");
      device.flush();
      assertEquals(2, count(HostOperation.FLUSH), "data, tables");
      assertEquals(101, count(HostOperation.WRITE), "both copies");
    }
  }

  @Test
  void longWriteTakesManyGrainsAtOnceThatFollowEachOther() throws IOException {
    try (BlockDevice device = create()) {
      device.write(ByteBuffer.allocate(8 << 20), 1 << 20);
      assertEquals(1, count(HostOperation.WRITE));
      assertEquals(8 << 20, device.extentAt(1 << 20, 8 << 20).length());
    }
  }

  @Test
  void flushWithNothingToDoTakesNone() throws IOException {
    try (BlockDevice device = create()) {
      device.flush();
      device.flush();
      assertEquals(0, count(HostOperation.FLUSH));
    }
  }
}
