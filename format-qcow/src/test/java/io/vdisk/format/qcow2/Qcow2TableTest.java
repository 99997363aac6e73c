package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
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
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Entries of tables are checked before they are used, and cleared before what they name is. */
class Qcow2TableTest {
  private static final int CLUSTER = 4096;
  private static final int REFCOUNT_TABLE_OFFSET = 48;
  private static final int L1_TABLE_OFFSET = 40;

  private final MemoryFile file = new MemoryFile("image");

  @BeforeEach
  void create() throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", 1 << 20)
            .withFormats(Qcow2Subject.FORMATS)
            .withOption("cluster_size", Integer.toString(CLUSTER));
    try (BlockDevice device = Images.create(file, options)) {
      write(device, 0, 1);
    }
  }

  private static void write(BlockDevice device, long offset, int value) throws IOException {
    byte[] cluster = new byte[CLUSTER];
    Arrays.fill(cluster, (byte) value);
    device.write(ByteBuffer.wrap(cluster), offset);
  }

  private static byte read(BlockDevice device, long offset) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    device.read(one, offset);
    return one.get(0);
  }

  private static BlockDevice open(HostFile image) throws IOException {
    return Images.open(image, OpenOptions.readWrite().withFormats(Qcow2Subject.FORMATS));
  }

  private long get64(long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8);
    file.readFully(bytes, offset);
    return bytes.getLong(0);
  }

  /** Adds to the table entry at an offset. */
  private void add(long offset, long added) throws IOException {
    file.write(ByteBuffer.allocate(8).putLong(0, get64(offset) + added), offset);
  }

  private long l2Table() throws IOException {
    return get64(get64(L1_TABLE_OFFSET)) & L2Entry.OFFSET;
  }

  private void assertRefused(String said, Use use) throws IOException {
    try (BlockDevice device = open(file)) {
      CorruptImageException e = assertThrows(CorruptImageException.class, () -> use.of(device));
      assertTrue(e.getMessage().startsWith("image: " + said), e.getMessage());
    }
  }

  private interface Use {
    void of(BlockDevice device) throws IOException;
  }

  @Test
  void l2EntryThatIsNotClusterAlignedIsRefused() throws IOException {
    add(l2Table(), 512);
    String said = "the L2 entry of guest offset 0 names offset ";
    assertRefused(said, device -> read(device, 0));
    assertRefused(said, device -> write(device, 0, 2));
  }

  @Test
  void l1EntryThatIsNotClusterAlignedIsRefused() throws IOException {
    add(get64(L1_TABLE_OFFSET), 512);
    assertRefused("L1 entry 0 at ", device -> read(device, 0));
    assertRefused("L1 entry 0 at ", device -> write(device, CLUSTER, 2));
  }

  @Test
  void refcountTableEntryThatIsNotClusterAlignedIsRefused() throws IOException {
    add(get64(REFCOUNT_TABLE_OFFSET), 512);
    assertRefused("refcount table entry 0 is ", device -> write(device, CLUSTER, 2));
  }

  /** The counts call every cluster free, those of the tables too. */
  @Test
  void clusterOfATableIsNotHandedOutThoughItsCountSaysItIsFree() throws IOException {
    long block = get64(get64(REFCOUNT_TABLE_OFFSET));
    file.write(ByteBuffer.allocate(CLUSTER), block);
    assertRefused(
        "the refcounts call space free that is in use", device -> write(device, CLUSTER, 2));
  }

  @Test
  void clusterIsNotVisibleWhileItsDataIsBeingWritten() throws IOException {
    List<Extent.Kind> seen = new ArrayList<>();
    AtomicReference<BlockDevice> watched = new AtomicReference<>();
    HostFile watching =
        new ForwardingFile(file) {
          @Override
          public void write(ByteBuffer src, long offset) throws IOException {
            if (watched.get() != null) {
              seen.add(watched.get().extentAt(5 * CLUSTER, CLUSTER).kind());
            }
            super.write(src, offset);
          }
        };
    try (BlockDevice device = open(watching)) {
      watched.set(device);
      write(device, 5 * CLUSTER, 2);
      watched.set(null);
      assertEquals(List.of(Extent.Kind.HOLE), seen);
      assertEquals(2, read(device, 5 * CLUSTER));
    }
  }

  /** What the host has without the device's tables is what a power cut would leave. */
  @Test
  void freedClusterIsNotUsedAgainBeforeItsEntryIsDurablyGone() throws IOException {
    try (BlockDevice device = open(file)) {
      assertEquals(1, read(device, 0));
      device.discard(0, CLUSTER);
      for (int i = 1; i < 10; i++) {
        write(device, (long) i * CLUSTER, 2);
      }
      MemoryFile cut = new MemoryFile("cut");
      ByteBuffer all = ByteBuffer.allocate((int) file.size());
      file.readFully(all, 0);
      cut.write(all.flip(), 0);
      try (BlockDevice left = open(cut)) {
        assertEquals(1, read(left, 0));
        assertEquals(0, read(left, CLUSTER));
      }
    }
  }
}
