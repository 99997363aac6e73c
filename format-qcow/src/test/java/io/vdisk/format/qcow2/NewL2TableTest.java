package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Of an L2 table that is new, where the file ended, only what is needed is made and written. */
class NewL2TableTest {
  private static final int CLUSTER = 64 << 10;

  /** Guest bytes that one L2 table maps. */
  private static final long TABLE = (long) CLUSTER / Long.BYTES * CLUSTER;

  private static final int SLICE = 4096;

  private static final class Host extends ForwardingFile {
    long written;

    Host() {
      super(new MemoryFile("image"));
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      written += src.remaining();
      super.write(src, offset);
    }
  }

  private final Host host = new Host();

  private BlockDevice create() throws IOException {
    return Images.create(host, CreateOptions.of("qcow2", 2 * TABLE));
  }

  private static void write(BlockDevice disk, long offset, int value) throws IOException {
    disk.write(ByteBuffer.allocate(CLUSTER).put(0, (byte) value), offset);
  }

  private static int read(BlockDevice disk, long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(1);
    disk.read(bytes, offset);
    return bytes.get(0);
  }

  private void reopenedReads(int value, long offset) throws IOException {
    try (BlockDevice disk =
        Images.open(host, OpenOptions.readOnly().withFormat("qcow2").withoutLock())) {
      assertEquals(value, read(disk, offset));
      CheckReport report = disk.feature(Checking.class).orElseThrow().check(Progress.NONE);
      assertEquals(0, report.errors(), () -> report.findings().toString());
    }
  }

  @Test
  void onlyTheSliceOfTheEntryAndTheLastAreWritten() throws IOException {
    try (BlockDevice disk = create()) {
      disk.flush();
      long before = host.written;
      write(disk, 0, 1);
      disk.flush();
      long tables = host.written - before - CLUSTER;
      assertTrue(tables <= 4 * SLICE, tables + " bytes of tables"); // with counts and L1
    }
    reopenedReads(1, 0);
  }

  @Test
  void otherEntriesAreEmptyBeforeTheTableIsOnTheHost() throws IOException {
    try (BlockDevice disk = create()) {
      write(disk, TABLE, 1);
      assertEquals(0, read(disk, TABLE + TABLE / 2));
      write(disk, TABLE + TABLE / 4, 2);
      assertEquals(2, read(disk, TABLE + TABLE / 4));
      disk.flush();
      assertEquals(0, read(disk, TABLE + TABLE / 2 + TABLE / 4));
    }
    reopenedReads(2, TABLE + TABLE / 4);
  }

  /** Zeroes over a backing file need a table, and nothing behind it. */
  @Test
  void fileReachesTheEndOfATableThatWasWrittenLast() throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", 2 * TABLE).withBacking("base", "raw").withoutOpeningBacking();
    Images.create(host, options).close();
    OpenOptions open = OpenOptions.readWrite().withFormat("qcow2").withoutLock();
    try (BlockDevice base = Images.ram(2 * TABLE)) {
      try (BlockDevice disk = Images.open(host, open.withBacking(base))) {
        disk.writeZeroes(0, CLUSTER);
        assertEquals(0, read(disk, TABLE / 2)); // the table is not on the host yet
      }
      assertEquals(0, host.size() % CLUSTER);
      try (BlockDevice disk = Images.open(host, open.withBacking(base))) {
        assertEquals(0, read(disk, TABLE / 2));
      }
    }
  }
}
