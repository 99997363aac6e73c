package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.Limits;
import io.vdisk.OpenOptions;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Qcow2HeaderTest {
  private final MemoryFile file = new MemoryFile("image");

  private void create(String clusterSize) throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", 1 << 20)
            .withOption("cluster_size", clusterSize)
            .withFormats(List.of(new Qcow2Format()));
    Images.create(file, options).close();
  }

  private void put32(int offset, int value) throws IOException {
    file.write(ByteBuffer.allocate(4).putInt(0, value), offset);
  }

  private void put64(int offset, long value) throws IOException {
    file.write(ByteBuffer.allocate(8).putLong(0, value), offset);
  }

  private ImageException refused() {
    OpenOptions options = OpenOptions.readOnly().withFormats(List.of(new Qcow2Format()));
    ImageException e = assertThrows(ImageException.class, () -> Images.open(file, options));
    assertTrue(e.getMessage().startsWith("image: "), e.getMessage());
    return e;
  }

  /** The table of the specification, section "Header". */
  @Test
  void fieldsLieWhereTheSpecificationSays() {
    assertEquals(
        """
        0 4 magic
        4 4 version
        8 8 backing_file_offset
        16 4 backing_file_size
        20 4 cluster_bits
        24 8 size
        32 4 crypt_method
        36 4 l1_size
        40 8 l1_table_offset
        48 8 refcount_table_offset
        56 4 refcount_table_clusters
        60 4 nb_snapshots
        64 8 snapshots_offset
        72 8 incompatible_features
        80 8 compatible_features
        88 8 autoclear_features
        96 4 refcount_order
        100 4 header_length
        104 1 compression_type
        105 7 padding
        """,
        Qcow2Header.describe());
  }

  /** Offset of the field, a value that it may not have, and what the refusal says of it. */
  @ParameterizedTest
  @CsvSource({
    "4, 4, qcow version",
    "4, 0xffffffff, qcow version",
    "20, 8, cluster_bits",
    "20, 22, cluster_bits",
    "20, 0xffffffff, cluster_bits",
    "32, 2, no pointer to the encryption header",
    "32, 77, method 77",
    "36, 0, l1_size",
    "36, 0x400001, l1_size",
    "36, 0xffffffff, l1_size",
    "40, 0x1000000, l1_table_offset",
    "40, 0xff000000, l1_table_offset",
    "44, 0, l1_table_offset",
    "44, 0x30001, l1_table_offset",
    "44, 0x7fff0000, l1_table_offset",
    "52, 0x10001, refcount_table_offset",
    "48, 0xff000000, refcount_table_offset",
    "52, 0, refcount_table_offset",
    "52, 0x7fff0000, refcount_table_offset",
    "56, 0, refcount_table_clusters",
    "56, 0x81, refcount_table_clusters",
    "56, 0x10000000, refcount_table_clusters",
    "60, 1, snapshots_offset",
    "64, 0x80000000, snapshots_offset",
    "68, 1, snapshots_offset",
    "92, 2, a raw data file",
    "60, 0x10001, nb_snapshots",
    "104, 0x01000000, compression_type",
    "96, 7, refcount_order",
    "96, 0xffffffff, refcount_order",
    "100, 72, header_length",
    "100, 0x10001, header_length",
    "8, 0x80000000, backing_file_offset",
    "12, 0x10001, backing_file_offset"
  })
  void fieldsThatCannotBeAreRefused(int offset, String value, String said) throws IOException {
    create("64k");
    put32(offset, (int) (long) Long.decode(value));
    String message = refused().getMessage();
    assertTrue(message.contains(said), message);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40})
  void sizesBeyondTheL1TableAreRefused(long size) throws IOException {
    create("64k");
    put64(24, size);
    refused();
  }

  @Test
  void backingNameMayNotBeLongerThanTheSpecificationAllows() throws IOException {
    create("64k");
    put64(8, 1000);
    put32(16, 1024);
    assertTrue(refused().getMessage().contains("backing_file_size at offset 16"));
  }

  @Test
  void backingNameMayNotReachBeyondTheFirstCluster() throws IOException {
    create("64k");
    put64(8, 65_536 - 10);
    put32(16, 11);
    assertTrue(refused().getMessage().contains("backing_file_size at offset 16"));
  }

  @Test
  void backingNameOfNoBytesIsNone() throws IOException {
    create("64k");
    put64(8, 1000);
    OpenOptions options = OpenOptions.readOnly().withFormats(List.of(new Qcow2Format()));
    try (var device = Images.open(file, options)) {
      assertTrue(device.info().backing().isEmpty());
    }
  }

  /** The extension that ends them has a length, too. */
  @Test
  void endOfExtensionsMayNotBeLongerThanTheirArea() throws IOException {
    create("64k");
    put32(112, 0);
    put32(116, 65_536 - 112 - 8 + 1);
    assertTrue(refused().getMessage().contains("header extension at offset 112"));
    put32(116, 65_536 - 112 - 8);
    OpenOptions options = OpenOptions.readOnly().withFormats(List.of(new Qcow2Format()));
    Images.open(file, options).close();
  }

  @ParameterizedTest
  @ValueSource(ints = {65_536 - 112 - 8 + 1, Integer.MAX_VALUE, -1})
  void extensionMayNotBeLongerThanItsArea(int bytes) throws IOException {
    create("64k");
    put32(116, bytes);
    assertTrue(refused().getMessage().contains("header extension at offset 112"));
  }

  @Test
  void unknownIncompatibleFeaturesAreNamedAsTheImageNamesThem() throws IOException {
    create("64k");
    put64(72, 1L << 59 | 1L << 60);
    assertEquals("image: needs the incompatible features bit 59, bit 60", refused().getMessage());
  }

  @Test
  void limitsOfTheCallerAreKept() throws IOException {
    create("64k");
    OpenOptions options = OpenOptions.readOnly().withFormats(List.of(new Qcow2Format()));
    Limits small = Limits.DEFAULT.withVirtualSize((1 << 20) - 1);
    assertThrows(
        UnsupportedImageException.class, () -> Images.open(file, options.withLimits(small)));
    Limits narrow = Limits.DEFAULT.withTableBytes(4);
    assertThrows(
        UnsupportedImageException.class, () -> Images.open(file, options.withLimits(narrow)));
  }

  @Test
  void unknownAutoclearBitsAreClearedBeforeTheFirstWriteAndNotEarlier() throws IOException {
    create("64k");
    put64(88, 1L << 40);
    OpenOptions options = OpenOptions.readWrite().withFormats(List.of(new Qcow2Format()));
    try (var device = Images.open(file, options)) {
      device.read(ByteBuffer.allocate(512), 0);
      assertEquals(1L << 40, long64(88));
      device.write(ByteBuffer.allocate(512), 0);
      assertEquals(0, long64(88));
    }
  }

  private long long64(int offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8);
    file.readFully(bytes, offset);
    return bytes.getLong(0);
  }

  @Test
  void countsOfEveryWidthLieAsTheSpecificationSays() {
    assertEquals(1, new RefcountWidth(0).get(0x0100_0000_0000_0000L, 0));
    assertEquals(1, new RefcountWidth(0).get(0x8000_0000_0000_0000L, 7));
    assertEquals(3, new RefcountWidth(1).get(0x0c00_0000_0000_0000L, 1));
    assertEquals(10, new RefcountWidth(2).get(0x00a0_0000_0000_0000L, 3));
    assertEquals(0x12, new RefcountWidth(3).get(0x1200_0000_0000_0000L, 0));
    assertEquals(0x1234, new RefcountWidth(4).get(0x0000_1234_0000_0000L, 1));
    assertEquals(0x1234_5678, new RefcountWidth(5).get(0x1234_5678L, 1));
    assertEquals(7, new RefcountWidth(6).get(7, 0));
    for (int order = 0; order <= 6; order++) {
      RefcountWidth width = new RefcountWidth(order);
      for (int i = 0; i < width.perWord(); i++) {
        long word = width.with(0x5555_aaaa_5555_aaaaL, i, 1);
        assertEquals(1, width.get(word, i));
        assertEquals(0, width.get(width.with(word, i, 0), i));
      }
    }
  }

  @Test
  void entriesOfCompressedClustersKeepTheirPlace() {
    for (int bits = 9; bits <= 21; bits++) {
      for (long offset : new long[] {512, 513, 1023, 0x1234_5678L, 0x7_ffff_ffffL}) {
        for (int length : new int[] {1, 511, 512, 513, (1 << bits) - 1}) {
          L2Entry entry = L2Entry.compressed(offset, length, bits);
          assertTrue(entry.isCompressed() && !entry.isCopied());
          assertEquals(offset, entry.compressedOffset(bits));
          long end = offset + entry.compressedLength(bits);
          assertEquals((offset + length + 511) / 512 * 512, end);
        }
      }
    }
  }
}
