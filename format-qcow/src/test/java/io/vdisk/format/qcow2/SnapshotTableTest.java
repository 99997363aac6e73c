package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SnapshotTableTest {
  private static final long TABLE = 0x1_0000;
  private static final long SIZE = 1 << 20;

  @TempDir static Path folder;

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
  }

  private final MemoryFile file = new MemoryFile("image");

  private static SnapshotEntry entry(RawBytes id, RawBytes name, RawBytes extra) {
    return new SnapshotEntry(0x5_0000, 1, id, name, 11, 22, 33, 44, SIZE, extra);
  }

  /** An image of 1 MiB, version 3 or 2, whose header says that it has these snapshots. */
  private Qcow2Header header(int version, long snapshots) throws IOException {
    Path image = folder.resolve("empty.qcow2");
    String compat = version == 3 ? "compat=v3" : "compat=0.10";
    Qemu.succeed("qemu-img", "create", "-f", "qcow2", "-o", compat, image, SIZE);
    byte[] bytes = Files.readAllBytes(image);
    ByteBuffer.wrap(bytes).putInt(60, (int) snapshots).putLong(64, TABLE);
    file.write(ByteBuffer.wrap(bytes), 0);
    return Qcow2Header.read(file, Limits.DEFAULT);
  }

  private SnapshotTable salvage(long count) throws IOException {
    return SnapshotTable.salvage(file, TABLE, count, SIZE);
  }

  private void write(List<SnapshotEntry> entries) throws IOException {
    file.write(SnapshotTable.of(entries).encode("image"), TABLE);
  }

  /** The table of the specification, section "Snapshots". */
  @Test
  void fieldsLieWhereTheSpecificationSays() {
    assertEquals(
        """
        0 8 l1_table_offset
        8 4 l1_size
        12 2 id_str_size
        14 2 name_size
        16 4 date_sec
        20 4 date_nsec
        24 8 vm_clock_nsec
        32 4 vm_state_size
        36 4 extra_data_size
        """,
        SnapshotEntry.describe());
  }

  @ParameterizedTest
  @CsvSource({"compat=v3", "compat=0.10"})
  void tableOfQemuIsReadAndWrittenByteForByte(String compat) throws IOException {
    Path image = folder.resolve("image.qcow2");
    Qemu.succeed("qemu-img", "create", "-f", "qcow2", "-o", compat, image, SIZE);
    for (String name : List.of("first", "zweiter \u00e4\u00f6\u00fc", "x")) {
      Qemu.succeed("qemu-img", "snapshot", "-c", name, image);
    }
    try (HostFile opened = HostFile.of(image)) {
      Qcow2Header header = Qcow2Header.read(opened, Limits.DEFAULT);

      SnapshotTable table = SnapshotTable.read(opened, header);

      SnapshotEntry second = table.entries().get(1);
      assertEquals(3, table.entries().size());
      assertEquals("2", second.id().toString());
      assertEquals("zweiter \u00e4\u00f6\u00fc", second.name().toString());
      assertEquals(SIZE, second.virtualSize());
      assertEquals(0, second.vmStateBytes());
      assertTrue(second.isComplete());
      assertEquals(SnapshotEntry.newExtra().size(), second.extra().size());
      second.checkL1(opened, header);
      ByteBuffer there = ByteBuffer.allocate((int) table.bytes());
      opened.readFully(there, header.snapshotsOffset);
      assertArrayEquals(there.array(), table.encode("image").array());
    }
  }

  @Test
  void namesThatAreNotTextAndUnknownExtraDataAreKept() throws IOException {
    RawBytes odd = RawBytes.of(new byte[] {(byte) 0xff, 0, (byte) 0xc3, 7});
    byte[] extra = new byte[1024];
    new Random(1).nextBytes(extra);
    ByteBuffer.wrap(extra).putLong(44).putLong(SIZE);
    SnapshotEntry entry = entry(odd, odd, RawBytes.of(extra));
    write(List.of(entry, entry(RawBytes.of("2"), RawBytes.EMPTY, SnapshotEntry.newExtra())));

    List<SnapshotEntry> read = salvage(2).entries();

    assertEquals(entry, read.get(0));
    assertEquals("2", read.get(1).id().toString());
  }

  @Test
  void stateOfMoreThanFourGigabytesIsInTheExtraDataAlone() throws IOException {
    RawBytes id = RawBytes.of("1");
    SnapshotEntry large =
        new SnapshotEntry(0, 0, id, id, 0, 0, 0, 1L << 32, SIZE, SnapshotEntry.newExtra());
    write(List.of(large));
    ByteBuffer fixed = ByteBuffer.allocate(SnapshotEntry.FIXED);
    file.readFully(fixed, TABLE);
    assertEquals(0, fixed.getInt(32));
    assertEquals(1L << 32, salvage(1).entries().get(0).vmStateBytes());
  }

  /** Bytes of extra data, the size of the state and the virtual size that are read then. */
  @ParameterizedTest
  @CsvSource({"0, 5, 1048576", "7, 5, 1048576", "8, 9, 1048576", "15, 9, 1048576", "16, 9, 512"})
  void entryWithLittleExtraDataTakesTheImagesSize(int extra, long state, long size)
      throws IOException {
    Qcow2Header header = header(2, 1);
    ByteBuffer entry = ByteBuffer.allocate(SnapshotEntry.FIXED + 16 + 2);
    entry.putShort(12, (short) 1).putShort(14, (short) 1).putInt(32, 5).putInt(36, extra);
    entry.putLong(40, 9).putLong(48, 512).put(40 + extra, (byte) 'i').put(41 + extra, (byte) 'n');
    file.write(entry, TABLE);

    SnapshotTable table = SnapshotTable.read(file, header);

    SnapshotEntry read = table.entries().get(0);
    assertEquals("i", read.id().toString());
    assertEquals("n", read.name().toString());
    assertEquals(state, read.vmStateBytes());
    assertEquals(size, read.virtualSize());
    assertEquals(extra >= 16, read.isComplete());
    assertEquals(SnapshotEntry.FIXED + extra + 2, table.bytes());
    file.write(table.encode("image"), TABLE);
    assertTrue(SnapshotTable.read(file, header).entries().get(0).isComplete());
  }

  @Test
  void tooMuchExtraDataIsRefusedAndSalvagedWithout() throws IOException {
    Qcow2Header header = header(3, 2);
    RawBytes id = RawBytes.of("1");
    write(Collections.nCopies(2, entry(id, id, RawBytes.of(new byte[1025]))));
    assertTrue(
        assertThrows(CorruptImageException.class, () -> SnapshotTable.read(file, header))
            .getMessage()
            .contains("entry 0 of the snapshot table at 65536 has 1025 bytes of extra data"));

    SnapshotTable table = salvage(2);

    assertEquals(2, table.shortened());
    assertEquals(1024, table.entries().get(1).extra().size());
    assertEquals(id, table.entries().get(1).name());
  }

  @Test
  void hugeExtraDataIsSkippedAndNotRead() throws IOException {
    file.write(ByteBuffer.allocate(40).putInt(36, -1).putShort(12, (short) 1), TABLE);
    SnapshotTable table = salvage(1);
    // Beyond the 2 GiB that QEMU counts to.
    assertEquals(1, table.dropped());
    assertEquals(0, table.bytes());
  }

  @Test
  void tablePastTheEndIsRefusedAndSalvagedAsZeroes() throws IOException {
    Qcow2Header header = header(3, 65_536);
    file.resize(TABLE + 100);
    assertThrows(CorruptImageException.class, () -> SnapshotTable.read(file, header));
    SnapshotTable table = salvage(65_536);
    assertEquals(65_536, table.entries().size());
    assertEquals(0, table.entries().get(65_535).l1Entries());
  }

  @Test
  void snapshotsBeyondTheLimitsAreDropped() throws IOException {
    Qcow2Header header = header(3, 1023);
    byte[] text = new byte[SnapshotEntry.MAX_TEXT];
    RawBytes longest = RawBytes.of(text);
    SnapshotTable large =
        SnapshotTable.of(
            Collections.nCopies(513, entry(longest, longest, SnapshotEntry.newExtra())));
    assertThrows(UnsupportedImageException.class, () -> large.encode("image"));
    long at = TABLE;
    ByteBuffer one =
        SnapshotTable.of(List.of(entry(longest, longest, SnapshotEntry.newExtra()))).encode("");
    for (int i = 0; i < 513; i++) {
      at = TABLE + (at - TABLE + 7) / 8 * 8;
      file.write(one.rewind(), at);
      at += one.limit();
    }
    assertThrows(CorruptImageException.class, () -> SnapshotTable.read(file, header));
    SnapshotTable table = salvage(1023);
    assertEquals(511, table.entries().size());
    assertEquals(512, table.dropped());
    assertTrue(table.bytes() <= SnapshotTable.MAX_BYTES);
    assertEquals(65_540 - 511, salvage(65_540).dropped());
  }

  /** Offset and entries of an L1 table, size of the disk, what is said of it. */
  @ParameterizedTest
  @CsvSource({
    "0, 1, 1048576, L1 table of 8 bytes at 0",
    "512, 1, 1048576, L1 table of 8 bytes at 512",
    "65536000, 1, 1048576, L1 table of 8 bytes at 65536000",
    "-65536, 1, 1048576, L1 table of 8 bytes at 18446744073709486080",
    "65536, 4194305, 1048576, L1 table of 4194305 entries",
    "65536, 4294967295, 1048576, L1 table of 4294967295 entries",
    "65536, 0, 1048576, is of 1048576 bytes and has an L1 table of 0 entries",
    "65536, 1, -1, is of 18446744073709551615 bytes"
  })
  void tablesOfASnapshotThatCannotBeAreRefused(long offset, long entries, long size, String said)
      throws IOException {
    Qcow2Header header = header(3, 0);
    RawBytes id = RawBytes.of("17");
    SnapshotEntry entry =
        new SnapshotEntry(offset, entries, id, id, 0, 0, 0, 0, size, SnapshotEntry.newExtra());
    String message =
        assertThrows(CorruptImageException.class, () -> entry.checkL1(file, header)).getMessage();
    assertTrue(message.startsWith("image: snapshot 17 ") && message.contains(said), message);
    assertFalse(message.contains("null"));
  }
}
