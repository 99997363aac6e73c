package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BitmapDirectoryTest {
  @TempDir static Path folder;

  private static byte[] image = {};

  private final MemoryFile file = new MemoryFile("image");

  /** An image of 1 GiB with three bitmaps, of which the first was written to. */
  @BeforeAll
  static void make() throws IOException {
    Requirements.need("qemu-img");
    Path path = folder.resolve("image.qcow2");
    Qemu.succeed("qemu-img", "create", "-f", "qcow2", path, "1G");
    Qemu.succeed("qemu-img", "bitmap", "--add", "-g", "512", path, "first");
    Qemu.succeed("qemu-io", "-f", "qcow2", "-c", "write 10M 1M", "-c", "write 900M 1M", path);
    Qemu.succeed("qemu-img", "bitmap", "--add", "--disable", "-g", "2G", path, "second \u00e4");
    Qemu.succeed("qemu-img", "bitmap", "--add", path, "third");
    image = Files.readAllBytes(path);
  }

  private Qcow2Header header() throws IOException {
    file.write(ByteBuffer.wrap(image), 0);
    return Qcow2Header.read(file, Limits.DEFAULT);
  }

  private long directory() throws IOException {
    return header().bitmaps.orElseThrow().directoryOffset();
  }

  private void refused(String said) throws IOException {
    Qcow2Header header = Qcow2Header.read(file, Limits.DEFAULT);
    String message =
        assertThrows(CorruptImageException.class, () -> BitmapDirectory.read(file, header))
            .getMessage();
    assertTrue(message.startsWith("image: ") && message.contains(said), message);
  }

  /** The table of the specification, section "Bitmap directory". */
  @Test
  void fieldsLieWhereTheSpecificationSays() {
    assertEquals(
        """
        0 8 bitmap_table_offset
        8 4 bitmap_table_size
        12 4 flags
        16 1 type
        17 1 granularity_bits
        18 2 name_size
        20 4 extra_data_size
        """,
        BitmapEntry.describe());
  }

  @Test
  void directoryOfQemuIsReadAndWrittenByteForByte() throws IOException {
    Qcow2Header header = header();

    BitmapDirectory directory = BitmapDirectory.read(file, header);

    assertEquals(3, directory.entries().size());
    BitmapEntry first = directory.find("first").orElseThrow();
    assertEquals(9, first.granularityBits());
    assertEquals(4, first.tableEntries());
    assertTrue(first.has(BitmapEntry.AUTO) && first.isUsable());
    BitmapEntry second = directory.find("second \u00e4").orElseThrow();
    assertEquals(31, second.granularityBits());
    assertFalse(second.has(BitmapEntry.AUTO));
    assertEquals(header.bitmaps, Optional.of(directory.extension(directory())));
    ByteBuffer there = ByteBuffer.allocate((int) directory.encodedBytes());
    file.readFully(there, directory());
    assertArrayEquals(there.array(), directory.encode("image").array());
  }

  @Test
  void tableSaysWhereTheBitsAre() throws IOException {
    Qcow2Header header = header();
    BitmapEntry first = BitmapDirectory.read(file, header).find("first").orElseThrow();

    long[] table = first.readTable(file, header);

    assertEquals(4, table.length);
    assertTrue(new BitmapTableEntry(table[0]).offset() > 0);
    assertEquals(0, table[1]);
    assertTrue(BitmapTableEntry.uniform(true).isAllOnes());
    assertTrue(BitmapTableEntry.uniform(true).isWellFormed(512));
    // A bitmap of bit 8 and on of byte 2560 * 8: 10 MiB / 512 bytes.
    ByteBuffer bits = ByteBuffer.allocate(1);
    file.readFully(bits, new BitmapTableEntry(table[0]).offset() + (10 << 20) / 512 / 8);
    assertEquals((byte) 0xff, bits.get(0));
  }

  @Test
  void imageWithoutBitmapsHasAnEmptyDirectory() throws IOException {
    header();
    file.write(ByteBuffer.allocate(8), 88); // the autoclear bit
    Qcow2Header header = Qcow2Header.read(file, Limits.DEFAULT);
    assertEquals(BitmapDirectory.EMPTY, BitmapDirectory.read(file, header));
  }

  /** Offset in the first entry, its size, a value that may not be there, and what is said. */
  @ParameterizedTest
  @CsvSource({
    "0, 8, 0, table of 4 entries at 0",
    "0, 8, 512, table of 4 entries at 512",
    "0, 8, -65536, table of 4 entries at 18446744073709486080",
    "8, 4, 0, table of 0 entries",
    "8, 4, 3, too few for 1073741824 bytes",
    "8, 4, 8193, table of 8193 entries",
    "8, 4, -1, table of 4294967295 entries",
    "12, 4, 8, flags 8",
    "12, 4, -1, flags ffffffff",
    "16, 1, 0, type 0",
    "16, 1, 2, type 2",
    "17, 1, 8, granularity_bits 8",
    "17, 1, 32, granularity_bits 32",
    "17, 1, 255, granularity_bits 255",
    "18, 2, 0, a name of 0",
    "18, 2, 1024, a name of 1024",
    "18, 2, -1, a name of 65535",
    "20, 4, -1, 4294967295 bytes of extra data",
    "20, 4, 1000, 1000 bytes of extra data"
  })
  void entriesThatCannotBeAreRefused(int offset, int bytes, long value, String said)
      throws IOException {
    ByteBuffer field = ByteBuffer.allocate(8).putLong(0, value).position(8 - bytes);
    file.write(field, directory() + offset);
    refused(said);
  }

  @Test
  void namesAreUnique() throws IOException {
    long first = directory();
    long third = first + 32 + 40;
    file.write(ByteBuffer.wrap("first".getBytes(StandardCharsets.UTF_8)), third + 24);
    refused("are called first");
  }

  /** Bitmaps and bytes that the header says. */
  @ParameterizedTest
  @CsvSource({"2, 104", "4, 104", "3, 96", "3, 112", "3, 23", "1, 1", "65535, 67107840"})
  void directoryHasTheEntriesThatTheHeaderSays(int bitmaps, long bytes) throws IOException {
    Qcow2Header header = header();
    int at = extensionAt(HeaderExtension.BITMAPS);
    file.write(ByteBuffer.allocate(16).putInt(bitmaps).putInt(0).putLong(bytes).flip(), at);
    assertEquals(104, BitmapDirectory.read(file, header).encodedBytes());
    refused("bitmap directory");
  }

  @Test
  void bitmapThatWasNotSavedMayBeOfAnotherSize() throws IOException {
    file.write(ByteBuffer.allocate(8).putInt(0, 3).putInt(4, BitmapEntry.IN_USE), directory() + 8);
    Qcow2Header header = Qcow2Header.read(file, Limits.DEFAULT);
    BitmapEntry first = BitmapDirectory.read(file, header).entries().get(0);
    assertEquals(3, first.tableEntries());
    assertFalse(first.isUsable());
  }

  @Test
  void extraDataIsKeptAndKeepsABitmapFromBeingUsedUnlessItSaysOtherwise() throws IOException {
    Qcow2Header header = header();
    BitmapEntry first = BitmapDirectory.read(file, header).find("first").orElseThrow();
    RawBytes extra = RawBytes.of(new byte[] {1, 2, 3});
    BitmapEntry with = new BitmapEntry(first.tableOffset(), 4, 0, 9, RawBytes.of("other"), extra);
    BitmapDirectory both = new BitmapDirectory(List.of(with, first));
    ByteBuffer bytes = both.encode("image");

    BitmapEntry read = BitmapEntry.parse(bytes, file, header, 0);

    assertEquals(with, read);
    assertFalse(read.isUsable());
    assertTrue(read.withFlags(BitmapEntry.EXTRA_DATA_COMPATIBLE).isUsable());
    assertEquals(first, BitmapEntry.parse(bytes, file, header, 0));
    assertFalse(bytes.hasRemaining());
  }

  /** Entries of a bitmap table that cannot be. */
  @ParameterizedTest
  @CsvSource({"2", "512", "65537", "0x0100000000010000", "0x8000000000000000"})
  void tableEntriesThatCannotBeAreRefused(String entry) throws IOException {
    Qcow2Header header = header();
    BitmapEntry first = BitmapDirectory.read(file, header).find("first").orElseThrow();
    long value = Long.parseUnsignedLong(entry.replace("0x", ""), entry.startsWith("0x") ? 16 : 10);
    file.write(ByteBuffer.allocate(8).putLong(0, value), first.tableOffset() + 8);
    assertThrows(CorruptImageException.class, () -> first.readTable(file, header));
  }

  @Test
  void tablePastTheEndIsRefused() throws IOException {
    Qcow2Header header = header();
    BitmapEntry first = BitmapDirectory.read(file, header).find("first").orElseThrow();
    BitmapEntry far = first.withTable(1L << 55, BitmapEntry.MAX_TABLE_ENTRIES);
    assertThrows(CorruptImageException.class, () -> far.readTable(file, header));
  }

  @Test
  void clustersOfABitmapAreAsManyAsItsBitsTake() {
    assertEquals(0, BitmapEntry.entriesNeeded(0, 9, 512));
    assertEquals(1, BitmapEntry.entriesNeeded(1, 9, 512));
    assertEquals(1, BitmapEntry.entriesNeeded(512L * 512 * 8, 9, 512));
    assertEquals(2, BitmapEntry.entriesNeeded(512L * 512 * 8 + 1, 9, 512));
    assertEquals(1L << 42, BitmapEntry.entriesNeeded(Long.MAX_VALUE, 9, 512));
  }

  private int extensionAt(int type) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(image);
    int at = bytes.getInt(100);
    while (bytes.getInt(at) != type) {
      at += 8 + (bytes.getInt(at + 4) + 7) / 8 * 8;
    }
    return at + 8;
  }
}
