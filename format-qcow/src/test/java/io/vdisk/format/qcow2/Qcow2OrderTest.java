package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * What is on disk after each host flush of a guest's flush, where the crash tests seldom come: used
 * clusters that the host cannot punch out, a refcount table that moves.
 */
class Qcow2OrderTest {
  private static final int CLUSTER = 512;

  /** Guest bytes of an L2 table. */
  private static final int TABLE = 64 * CLUSTER;

  /** A file that keeps what it held at each flush, and cannot punch holes. */
  private static final class Cuts extends ForwardingFile {
    final List<HostFile> cuts = new ArrayList<>();
    boolean isCutting;

    Cuts() {
      super(new MemoryFile("image"));
    }

    @Override
    public boolean zero(long offset, long length, boolean keepSpace) {
      return false;
    }

    @Override
    public void flush() throws IOException {
      super.flush();
      if (isCutting) {
        ByteBuffer all = ByteBuffer.allocate((int) size());
        readFully(all, 0);
        MemoryFile cut = new MemoryFile("cut " + cuts.size());
        cut.write(all.flip(), 0);
        cuts.add(cut);
      }
    }
  }

  private final Cuts file = new Cuts();
  private final Qcow2Subject subject = new Qcow2Subject(8 << 20, Map.of());

  private BlockDevice create(int refcountBits) throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", 8 << 20)
            .withFormats(Qcow2Subject.FORMATS)
            .withOption("cluster_size", Integer.toString(CLUSTER))
            .withOption("refcount_bits", Integer.toString(refcountBits));
    Images.create(file, options).close();
    return Images.open(file, OpenOptions.readWrite().withFormats(Qcow2Subject.FORMATS));
  }

  private static void write(BlockDevice device, long offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) 0x55);
    device.write(ByteBuffer.wrap(bytes), offset);
  }

  /** Flushes, and looks at the image after each host flush that this took. */
  private void flushAndCheck(BlockDevice device, int hostFlushes) throws IOException {
    file.isCutting = true;
    device.flush();
    file.isCutting = false;
    assertEquals(hostFlushes, file.cuts.size());
    for (HostFile cut : file.cuts) {
      assertEquals(List.of(), subject.check(List.of(cut)), cut.name());
    }
  }

  @Test
  void newL2TableIsThereBeforeTheEntryThatNamesIt() throws IOException {
    try (BlockDevice device = create(16)) {
      write(device, 0, TABLE);
      device.flush();
      device.discard(0, TABLE);
      device.flush();
      long end = file.size();
      write(device, TABLE, CLUSTER);
      flushAndCheck(device, 3);
      assertEquals(end, file.size(), "the table lies where data were");
    }
  }

  /** A table of one cluster with counts of 64 bits is full at 2 MiB. */
  @Test
  void countsThatMoveAreThereBeforeWhatTheyCount() throws IOException {
    try (BlockDevice device = create(64)) {
      long moved = 0;
      long old = refcountTable();
      for (long offset = 0; moved == 0 && offset < 4 << 20; offset += TABLE) {
        write(device, offset, CLUSTER);
        device.flush();
        for (int i = 1; moved == 0 && i < 64; i++) {
          write(device, offset + (long) i * CLUSTER, CLUSTER);
          if (file.size() > (2 << 20)) {
            moved = offset;
          } else if (file.size() > (2 << 20) - 8 * CLUSTER) {
            device.flush();
          }
        }
      }
      assertTrue(moved > 0);
      assertEquals(old, refcountTable());
      flushAndCheck(device, 4);
      assertTrue(old != refcountTable());
    }
    assertEquals(List.of(), subject.check(List.of(file)));
  }

  private long refcountTable() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8);
    file.readFully(bytes, Qcow2Header.REFCOUNT_TABLE_OFFSET.offset());
    return bytes.getLong(0);
  }
}
