package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.MemoryFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Images that were made to take time or memory when they are opened and read: each is refused in
 * words, soon, for little memory, and nothing is written.
 */
@Timeout(30)
class Qcow2BombTest {
  private static final int CLUSTER = 4096;
  private static final int SIZE = 1 << 20;

  /** Bytes of memory of the process that a bomb may take, its cluster's included. */
  private static final long MOST_MEMORY = 64L << 20;

  private final MemoryFile file = new MemoryFile("image");

  /** What lies in place of a compressed cluster of zstd; RFC 8878, section 3.1. */
  enum Frame {
    HUGE_WINDOW(frame(0x00, new byte[] {(byte) 0xff}, rle(CLUSTER, true))),
    HUGE_WINDOW_AND_LONG(frame(0x00, new byte[] {(byte) 0xa8}, rle(CLUSTER + 1, true))),
    HUGE_CONTENT_SIZE(frame(0xe0, sizeOf(1L << 62), rle(CLUSTER, true))),
    LARGER_THAN_ITS_SIZE(frame(0xe0, sizeOf(CLUSTER), rle(CLUSTER + 1, true))),
    SMALLER_THAN_ITS_SIZE(frame(0xe0, sizeOf(CLUSTER), rle(CLUSTER - 1, true))),
    SMALLER_THAN_A_CLUSTER(frame(0x00, new byte[] {0x58}, rle(CLUSTER - 1, true))),
    LARGER_THAN_A_CLUSTER(frame(0x00, new byte[] {0x58}, rle(CLUSTER + 1, true))),
    MANY_BLOCKS(frame(0x00, new byte[] {0x58}, repeated(rle(128 << 10, false), 500), rle(1, true))),
    EMPTY_BLOCKS_WITHOUT_END(frame(0x00, new byte[] {0x58}, repeated(rle(0, false), 1300))),
    TRUNCATED(Arrays.copyOf(frame(0x00, new byte[] {0x58}, rle(CLUSTER, true)), 8)),
    WITHOUT_LAST_BLOCK(frame(0x00, new byte[] {0x58}, rle(CLUSTER, false))),
    DICTIONARY(frame(0x03, new byte[] {0x58, 1, 2, 3, 4}, rle(CLUSTER, true))),
    RESERVED_BIT(frame(0x08, new byte[] {0x58}, rle(CLUSTER, true))),
    SKIPPABLE(skippable(8)),
    SKIPPABLE_WITHOUT_END(skippable(-1)),
    NOTHING(new byte[CLUSTER]);

    private final byte[] bytes;

    Frame(byte[] bytes) {
      this.bytes = bytes;
    }

    private static byte[] frame(int descriptor, byte[] header, byte[]... blocks) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.writeBytes(new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, (byte) descriptor});
      out.writeBytes(header);
      for (byte[] block : blocks) {
        out.writeBytes(block);
      }
      return out.toByteArray();
    }

    /** A block of one byte many times. */
    private static byte[] rle(int bytes, boolean isLast) {
      int header = bytes << 3 | 1 << 1 | (isLast ? 1 : 0);
      return new byte[] {(byte) header, (byte) (header >> 8), (byte) (header >> 16), 7};
    }

    private static byte[] repeated(byte[] block, int times) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      for (int i = 0; i < times; i++) {
        out.writeBytes(block);
      }
      return out.toByteArray();
    }

    private static byte[] sizeOf(long content) {
      return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(content).array();
    }

    private static byte[] skippable(int bytes) {
      return ByteBuffer.allocate(32)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putInt(0x184d_2a50)
          .putInt(bytes)
          .array();
    }
  }

  private void create(String... choices) throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", SIZE)
            .withFormats(Qcow2Subject.FORMATS)
            .withOption("cluster_size", Integer.toString(CLUSTER));
    for (int i = 0; i < choices.length; i += 2) {
      options = options.withOption(choices[i], choices[i + 1]);
    }
    Images.create(file, options).close();
  }

  /** Puts these bytes in the place of a compressed cluster, the first of the disk. */
  private void putCompressed(byte[] bytes) throws IOException {
    try (BlockDevice device = open(OpenOptions.readWrite())) {
      for (int i = 0; i < 3; i++) { // room behind it
        byte[] noise = new byte[CLUSTER - 700];
        new SplittableRandom(i).nextBytes(noise);
        ByteBuffer unit = ByteBuffer.wrap(Arrays.copyOf(noise, CLUSTER));
        UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
        units.append((long) i * CLUSTER, unit, units.encode(unit.duplicate()));
      }
    }
    long l2 = long64(long64(40)) & L2Entry.OFFSET;
    long offset = new L2Entry(long64(l2)).compressedOffset(12);
    file.write(ByteBuffer.wrap(bytes), offset);
    long entry =
        L2Entry.compressed(offset, Math.min(Math.max(1, bytes.length), 2 * CLUSTER - 512), 12)
            .raw();
    file.write(ByteBuffer.allocate(8).putLong(0, entry), l2);
  }

  private BlockDevice open(OpenOptions how) throws IOException {
    return Images.open(file, how.withFormats(Qcow2Subject.FORMATS));
  }

  private long long64(long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8);
    file.readFully(bytes, offset);
    return bytes.getLong(0);
  }

  private byte[] content() throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) file.size());
    file.readFully(all, 0);
    return all.array();
  }

  /** The most memory that this process has had, bytes; 0 where the system does not tell. */
  private static long peak() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
        .findFirst()
        .orElse(0);
  }

  private void assertBroken() throws IOException {
    byte[] before = content();
    long peak = peak();
    try (BlockDevice device = open(OpenOptions.readWrite())) {
      CorruptImageException e =
          assertThrows(
              CorruptImageException.class, () -> device.read(ByteBuffer.allocate(512), 1024));
      assertTrue(e.getMessage().startsWith("image: the compressed cluster"), e.getMessage());
      assertThrows(CorruptImageException.class, () -> device.write(ByteBuffer.allocate(512), 1024));
      device.read(ByteBuffer.allocate(512), SIZE - 512);
    }
    assertTrue(peak() - peak <= MOST_MEMORY, () -> "took memory");
    assertArrayEquals(before, content());
  }

  @ParameterizedTest
  @EnumSource
  void framesThatAreNoClusterAreBroken(Frame frame) throws IOException {
    create("compression_type", "zstd");
    putCompressed(frame.bytes);
    assertBroken();
  }

  /** What does not need a window takes no memory for it. */
  @Test
  void windowThatIsNotNeededIsNotMade() throws IOException {
    create("compression_type", "zstd");
    int twoGigabytes = 21 << 3;
    putCompressed(Frame.frame(0, new byte[] {(byte) twoGigabytes}, Frame.rle(CLUSTER, true)));
    long peak = peak();
    try (BlockDevice device = open(OpenOptions.readOnly())) {
      ByteBuffer cluster = ByteBuffer.allocate(CLUSTER);
      device.read(cluster, 0);
      assertEquals(7, cluster.get(CLUSTER - 1));
    }
    assertTrue(peak() - peak <= MOST_MEMORY, () -> "took memory");
  }

  private static byte[] deflated(byte[] plain) {
    Deflater deflater = new Deflater(9, true);
    deflater.setInput(plain);
    deflater.finish();
    byte[] made = new byte[plain.length + 100];
    int length = deflater.deflate(made);
    deflater.end();
    return Arrays.copyOf(made, length);
  }

  /** A stream goes on behind the cluster: its beginning is the cluster, as QEMU reads it. */
  @Test
  void streamThatInflatesBeyondAClusterIsReadAsFarAsTheCluster() throws IOException {
    create();
    byte[] plain = new byte[4 << 20];
    Arrays.fill(plain, (byte) 7);
    putCompressed(deflated(plain));
    try (BlockDevice device = open(OpenOptions.readOnly())) {
      ByteBuffer cluster = ByteBuffer.allocate(CLUSTER);
      device.read(cluster, 0);
      assertArrayEquals(Arrays.copyOf(plain, CLUSTER), cluster.array());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, CLUSTER - 1})
  void streamThatInflatesToLessThanAClusterIsBroken(int bytes) throws IOException {
    create();
    putCompressed(deflated(new byte[bytes]));
    assertBroken();
  }

  /** Blocks of nothing, one behind the other, and no end. */
  @Test
  void streamOfEmptyBlocksEnds() throws IOException {
    create();
    byte[] empty = new byte[6000];
    for (int i = 0; i + 5 <= empty.length; i += 5) {
      empty[i + 3] = (byte) 0xff; // stored, 0 bytes
      empty[i + 4] = (byte) 0xff;
    }
    putCompressed(empty);
    assertBroken();
  }

  /** The map of what must not be overwritten takes each table once. */
  @Test
  void snapshotsThatShareALargeTableDoNotDelayAWriter() throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", SIZE)
            .withFormats(Qcow2Subject.FORMATS)
            .withOption("cluster_size", "512");
    Images.create(file, options).close();
    long l1 = (file.size() + 511) & -512;
    long table = l1 + Qcow2Header.MAX_L1_BYTES;
    RawBytes name = RawBytes.of("n");
    SnapshotEntry entry =
        new SnapshotEntry(l1, 4 << 20, name, name, 0, 0, 0, 0, SIZE, SnapshotEntry.newExtra());
    List<SnapshotEntry> entries = Collections.nCopies(Qcow2Header.MAX_SNAPSHOTS, entry);
    file.write(SnapshotTable.of(entries).encode("image"), table);
    file.write(ByteBuffer.allocate(12).putInt(0, entries.size()).putLong(4, table), 60);

    try (BlockDevice device = open(OpenOptions.readWrite())) {
      assertEquals(SIZE, device.size());
    }
  }

  /** Offset of a field of the header and what is put there, in 8 bytes. */
  @ParameterizedTest
  @ValueSource(longs = {1L << 40, 1L << 62, Long.MAX_VALUE & -CLUSTER})
  void snapshotTablePastTheEndIsRefusedAndNothingIsWritten(long offset) throws IOException {
    create();
    file.write(ByteBuffer.allocate(12).putInt(0, 3).putLong(4, offset), 60);
    byte[] before = content();
    for (OpenOptions how : List.of(OpenOptions.readOnly(), OpenOptions.readWrite())) {
      assertThrows(CorruptImageException.class, () -> open(how));
    }
    assertArrayEquals(before, content());
  }
}
