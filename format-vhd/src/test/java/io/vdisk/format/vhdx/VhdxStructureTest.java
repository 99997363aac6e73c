package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Offsets and sizes of every structure, typed from the tables of [MS-VHDX]; round trips. */
class VhdxStructureTest {
  @Test
  void fileTypeIdentifierIsThatOfTheSpecification() {
    assertEquals("0 8 Signature\n8 512 Creator\n", FileIdentifier.STRUCT.describe());
  }

  @Test
  void headerIsThatOfTheSpecification() {
    assertEquals(
        """
        0 4 Signature
        4 4 Checksum
        8 8 SequenceNumber
        16 16 FileWriteGuid
        32 16 DataWriteGuid
        48 16 LogGuid
        64 2 LogVersion
        66 2 Version
        68 4 LogLength
        72 8 LogOffset
        80 4016 Reserved
        """,
        VhdxHeader.STRUCT.describe());
  }

  @Test
  void regionTableIsThatOfTheSpecification() {
    assertEquals(
        "0 4 Signature\n4 4 Checksum\n8 4 EntryCount\n12 4 Reserved\n",
        RegionTable.HEADER.describe());
    assertEquals(
        "0 16 Guid\n16 8 FileOffset\n24 4 Length\n28 4 Required\n", RegionTable.ENTRY.describe());
  }

  @Test
  void metadataTableIsThatOfTheSpecification() {
    assertEquals(
        "0 8 Signature\n8 2 Reserved\n10 2 EntryCount\n12 20 Reserved2\n",
        MetadataTable.HEADER.describe());
    assertEquals(
        "0 16 ItemId\n16 4 Offset\n20 4 Length\n24 4 Flags\n28 4 Reserved2\n",
        MetadataTable.ENTRY.describe());
  }

  @Test
  void parentLocatorIsThatOfTheSpecification() {
    assertEquals(
        "0 16 LocatorType\n16 2 Reserved\n18 2 KeyValueCount\n", ParentLocator.HEADER.describe());
    assertEquals(
        "0 4 KeyOffset\n4 4 ValueOffset\n8 2 KeyLength\n10 2 ValueLength\n",
        ParentLocator.ENTRY.describe());
  }

  @Test
  void logEntryIsThatOfTheSpecification() {
    assertEquals(
        """
        0 4 Signature
        4 4 Checksum
        8 4 EntryLength
        12 4 Tail
        16 8 SequenceNumber
        24 4 DescriptorCount
        28 4 Reserved
        32 16 LogGuid
        48 8 FlushedFileOffset
        56 8 LastFileOffset
        """,
        LogEntry.HEADER.describe());
    assertEquals(
        "0 4 ZeroSignature\n4 4 Reserved\n8 8 ZeroLength\n16 8 FileOffset\n24 8 SequenceNumber\n",
        LogEntry.ZERO.describe());
    assertEquals(
        "0 4 DataSignature\n4 4 TrailingBytes\n8 8 LeadingBytes\n16 8 FileOffset\n"
            + "24 8 SequenceNumber\n",
        LogEntry.DATA.describe());
    assertEquals(
        "0 4 DataSignature\n4 4 SequenceHigh\n8 4084 Data\n4092 4 SequenceLow\n",
        LogEntry.DATA_SECTOR.describe());
  }

  @Test
  void signaturesAreTheWordsOfTheSpecification() throws IOException {
    MemoryFile file = new MemoryFile("file");
    new FileIdentifier("x").write(file);
    assertEquals("vhdxfile", ascii(file, 0, 8));
    assertEquals("head", ascii(header().encode(), 0));
    assertEquals(
        "regi", ascii(new RegionTable(java.util.List.of(), java.util.List.of()).encode(), 0));
    ByteBuffer entry =
        LogEntry.encode(
            java.util.List.of(new LogEntry.Update(0, ByteBuffer.allocate(4096))),
            Guid.random(),
            1,
            0,
            0,
            0);
    assertEquals("loge", ascii(entry, 0));
    assertEquals("desc", ascii(entry, 64));
    assertEquals("data", ascii(entry, 4096));
    ByteBuffer zero = ByteBuffer.allocate(32);
    LogEntry.ZERO_SIGNATURE.put(zero, 0, LogEntry.ZERO_DESCRIPTOR);
    assertEquals("zero", ascii(zero, 0));
  }

  private static String ascii(MemoryFile file, long offset, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    file.readFully(bytes, offset);
    return new String(bytes.array(), java.nio.charset.StandardCharsets.US_ASCII);
  }

  private static String ascii(ByteBuffer bytes, int offset) {
    byte[] word = new byte[4];
    bytes.get(offset, word);
    return new String(word, java.nio.charset.StandardCharsets.US_ASCII);
  }

  private static VhdxHeader header() {
    return new VhdxHeader(9, Guid.random(), Guid.random(), Guid.random(), 0, 1, 1 << 20, 1 << 20);
  }

  @Test
  void guidHasItsFirstFieldsInLittleEndianOrder() {
    Guid guid = Guid.of("2DC27766-F623-4200-9D64-115E9BFD4A08");
    assertEquals(
        "6677c22d23f600429d64115e9bfd4a08", java.util.HexFormat.of().formatHex(guid.bytes()));
    assertEquals(guid, Guid.of(guid.bytes()));
    assertEquals(Optional.of(guid), Guid.parse(guid.inBraces()));
    assertEquals(Optional.empty(), Guid.parse("{2DC27766}"));
  }

  @Test
  void headerReadsAsItWasWrittenAndNotWithAnyBitChanged() {
    VhdxHeader header = header();
    ByteBuffer bytes = header.encode();
    assertEquals(Optional.of(header), VhdxHeader.decode(bytes));
    Random random = new Random(1);
    for (int i = 0; i < 500; i++) {
      int at = random.nextInt(4096);
      byte was = bytes.get(at);
      bytes.put(at, (byte) (was ^ (1 << random.nextInt(8))));
      assertEquals(Optional.empty(), VhdxHeader.decode(bytes), "byte " + at);
      bytes.put(at, was);
    }
  }

  @Test
  void locatorReadsAsItWasWritten() throws IOException {
    Guid linkage = Guid.random();
    ParentLocator locator = ParentLocator.of("../bases/päron.vhdx", linkage);
    ParentLocator read = ParentLocator.decode(ByteBuffer.wrap(locator.encode()), "file");
    assertEquals(locator, read);
    assertEquals("../bases/päron.vhdx", read.name());
    assertEquals("..\\bases\\päron.vhdx", read.values().get("relative_path"));
    assertTrue(read.accepts(linkage));
    assertEquals("/a/b.vhdx", ParentLocator.of("/a/b.vhdx", linkage).name());
    assertEquals("C:/a/b.vhdx", ParentLocator.of("C:/a/b.vhdx", linkage).name());
    assertEquals(
        "\\\\?\\C:\\a\\b.vhdx",
        ParentLocator.of("C:/a/b.vhdx", linkage).values().get("absolute_win32_path"));
  }

  /** Figure 6 of the specification has a chunk ratio of 4; the formulas are those of 2.5. */
  @Test
  void tableInterleavesBitmapEntriesAfterEachChunk() {
    BatGeometry disk = new BatGeometry(64L << 40, 28, 9);
    assertEquals(4, disk.ratioBits());
    assertEquals(262_144, disk.blocks());
    assertEquals(16_384, disk.chunks());
    assertEquals(0, disk.entryOf(0));
    assertEquals(15, disk.entryOf(15));
    assertEquals(16, disk.bitmapEntryOf(0));
    assertEquals(17, disk.entryOf(16));
    assertEquals(262_144 + 16_383, disk.entries(false));
    assertEquals(262_144 + 16_384, disk.entries(true));
    for (long block = 0; block < 100; block++) {
      assertEquals(block, disk.blockOf(disk.entryOf(block)));
      assertTrue(!disk.isBitmapEntry(disk.entryOf(block)));
    }
    assertTrue(disk.isBitmapEntry(33));
    BatGeometry small = new BatGeometry((1 << 20) + 512, 20, 9);
    assertEquals(2, small.entries(false));
    assertEquals(4097, small.entries(true));
  }

  @Test
  void logEntryHoldsTheUpdateAgain() {
    byte[] content = new byte[4096];
    new Random(3).nextBytes(content);
    long sequence = 0x1_2345_6789L;
    ByteBuffer entry =
        LogEntry.encode(
            java.util.List.of(new LogEntry.Update(1 << 20, ByteBuffer.wrap(content))),
            Guid.random(),
            sequence,
            8192,
            3 << 20,
            4 << 20);
    assertEquals(8192, entry.capacity());
    assertTrue(LogEntry.isDataSector(entry, 4096, sequence));
    ByteBuffer sector = ByteBuffer.allocate(4096).put(0, entry, 4096, 4096);
    int at = LogEntry.descriptor(0);
    LogEntry.restore(
        sector, LogEntry.LEADING_BYTES.get(entry, at), LogEntry.TRAILING_BYTES.get(entry, at));
    assertArrayEquals(content, sector.array());
  }
}
