package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.Limits;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing.Scope;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Images that were made to take time and memory. Each check ends within seconds, and writes not.
 */
@Timeout(30)
class Qcow2CheckHostileTest {
  private static final int CLUSTER = 4096;
  private static final long L1_OFFSET = 40;
  private static final RawBytes NAME = RawBytes.of("n");

  private final MemoryFile file = new MemoryFile("image");

  private void create(long size, String clusterSize, String refcountBits) throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", size)
            .withOption("cluster_size", clusterSize)
            .withOption("refcount_bits", refcountBits)
            .withOption("preallocation", "metadata")
            .withFormats(List.of(new Qcow2Format()));
    Images.create(file, options).close();
  }

  private long long64(long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8);
    file.readFully(bytes, offset);
    return bytes.getLong(0);
  }

  private void put64(long offset, long value) throws IOException {
    file.write(ByteBuffer.allocate(8).putLong(0, value), offset);
  }

  private long end(int clusterSize) throws IOException {
    return (file.size() + clusterSize - 1) / clusterSize * clusterSize;
  }

  private CheckReport check() throws IOException {
    return new Qcow2Checker(file, Qcow2Header.read(file, Limits.DEFAULT), Progress.NONE).check();
  }

  /** The file is too sparse to be compared: every write is a fault. */
  private CheckReport checkWithoutWriting() throws IOException {
    ForwardingFile sealed =
        new ForwardingFile(file) {
          @Override
          public void write(ByteBuffer src, long offset) {
            Assertions.fail("a write at " + offset);
          }
        };
    return new Qcow2Checker(sealed, Qcow2Header.read(sealed, Limits.DEFAULT), Progress.NONE)
        .check();
  }

  private void addSnapshots(List<SnapshotEntry> entries, int clusterSize) throws IOException {
    long offset = end(clusterSize);
    file.write(SnapshotTable.of(entries).encode("image"), offset);
    file.resize(end(clusterSize));
    file.write(ByteBuffer.allocate(12).putInt(0, entries.size()).putLong(4, offset), 60);
  }

  private static SnapshotEntry snapshot(long l1Offset, long l1Entries) {
    return new SnapshotEntry(
        l1Offset, l1Entries, NAME, NAME, 0, 0, 0, 0, 1 << 20, SnapshotEntry.newExtra());
  }

  @Test
  void manySnapshotsThatShareOneTableCostWhatOneDoes() throws IOException {
    create(64 << 20, "4k", "64");
    long l1 = long64(L1_OFFSET);
    addSnapshots(Collections.nCopies(65_536, snapshot(l1, 32)), CLUSTER);

    CheckReport report = checkWithoutWriting();

    // Every table and cluster is referred to 65,537 times and counted once.
    assertTrue(report.errors() >= 16_384 + 32 + 1, report.errors() + " errors");
    assertEquals(16_384, report.allocatedUnits());
  }

  @Test
  void manyTablesThatLieOverEachOtherAreReadOnce() throws IOException {
    create(64 << 20, "4k", "16");
    long area = end(CLUSTER);
    file.resize(area + (64L << 20));
    long named = long64(long64(L1_OFFSET)) & L2Entry.OFFSET;
    for (long at = area; at < file.size(); at += CLUSTER) {
      put64(at, named); // the same full L2 table
    }
    List<SnapshotEntry> entries = new ArrayList<>();
    for (int i = 0; i < 65_536; i++) {
      entries.add(snapshot(area + i % 8192 * (long) CLUSTER, 4 << 20));
    }
    addSnapshots(entries, CLUSTER);

    CheckReport report = checkWithoutWriting();

    assertTrue(report.errors() > 1_000_000, report.errors() + " errors");
    assertEquals(CheckReport.MAX_MESSAGES, report.findings().size());
  }

  @Test
  void activeTableThatNamesOneTableEverywhereCostsWhatOneDoes() throws IOException {
    create(64 << 20, "2M", "16");
    int entries = 4 << 20;
    long l1 = end(2 << 20);
    long l2 = long64(long64(L1_OFFSET));
    ByteBuffer table = ByteBuffer.allocate(entries * 8);
    while (table.hasRemaining()) {
      table.putLong(l2);
    }
    file.write(table.flip(), l1);
    file.write(ByteBuffer.allocate(12).putInt(0, entries).putLong(4, l1), 36);

    CheckReport report = checkWithoutWriting();

    assertTrue(report.errors() > entries, report.errors() + " errors");
  }

  /** Tables that are their own entries, in each of the places where they can be. */
  @Test
  void tablesThatNameEachOtherAreCounted() throws IOException {
    create(4 << 20, "4k", "16");
    long l1 = long64(L1_OFFSET);
    long l2 = long64(l1) & L2Entry.OFFSET;
    long refcountTable = long64(48);
    long block = long64(refcountTable);
    List<long[]> cycles =
        List.of(
            new long[] {l1, l1},
            new long[] {l1, 0x1000},
            new long[] {l2, l2},
            new long[] {l2, l1},
            new long[] {refcountTable, refcountTable},
            new long[] {refcountTable + 8, block},
            new long[] {l1, block},
            new long[] {block, l1});
    for (long[] cycle : cycles) {
      long old = long64(cycle[0]);
      put64(cycle[0], cycle[1]);
      assertTrue(checkWithoutWriting().errors() > 0, () -> cycle[0] + " names " + cycle[1]);
      put64(cycle[0], old);
    }
    assertTrue(check().isClean());
  }

  @Test
  void countsOfAllOnesAreLeaks() throws IOException {
    create(1 << 20, "4k", "64");
    long block = long64(long64(48));
    ByteBuffer ones = ByteBuffer.allocate(CLUSTER);
    while (ones.hasRemaining()) {
      ones.putLong(-1);
    }
    file.write(ones.flip(), block);
    CheckReport report = checkWithoutWriting();
    assertEquals(end(CLUSTER) / CLUSTER, report.leaks());
    Qcow2Header header = Qcow2Header.read(file, Limits.DEFAULT);
    new Repair(file, header, Scope.ALL, Progress.NONE).repair();
    assertTrue(check().isClean());
  }

  @Test
  void fileOfMoreClustersThanCanBeIsNotChecked() throws IOException {
    create(1 << 20, "4k", "16");
    byte[] before = new byte[(int) file.size()];
    file.readFully(ByteBuffer.wrap(before), 0);
    ForwardingFile huge =
        new ForwardingFile(file) {
          @Override
          public long size() {
            return Long.MAX_VALUE;
          }
        };
    Qcow2Header header = Qcow2Header.read(file, Limits.DEFAULT);
    CheckReport report = new Repair(huge, header, Scope.ALL, Progress.NONE).repair();
    assertEquals(1, report.unchecked());
    byte[] after = new byte[(int) file.size()];
    file.readFully(ByteBuffer.wrap(after), 0);
    assertArrayEquals(before, after);
  }

  /** Names so many bitmaps in a directory at the end of the file. */
  private void addBitmaps(int bitmaps, long directoryBytes, long directory) throws IOException {
    int at = 104;
    ByteBuffer extension = ByteBuffer.allocate(4 + 32 + 8);
    extension.putInt(at).putInt(HeaderExtension.BITMAPS).putInt(24);
    extension.putInt(bitmaps).putInt(0).putLong(directoryBytes).putLong(directory);
    file.write(extension.flip(), 100);
    put64(88, 1);
  }

  @Test
  void manyBitmapsThatShareOneTableCostWhatOneDoes() throws IOException {
    create(64 << 20, "4k", "64");
    int entries = 131_072; // 512 MiB, the most that one may have
    long table = end(CLUSTER);
    ByteBuffer words = ByteBuffer.allocate(entries * 8);
    while (words.hasRemaining()) {
      words.putLong(table);
    }
    file.write(words.flip(), table);
    List<BitmapEntry> bitmaps = new ArrayList<>();
    for (int i = 0; i < BitmapsExtension.MAX_BITMAPS; i++) {
      RawBytes name = RawBytes.of("b" + i);
      bitmaps.add(new BitmapEntry(table, entries, BitmapEntry.IN_USE, 9, name, RawBytes.EMPTY));
    }
    BitmapDirectory directory = new BitmapDirectory(bitmaps);
    long offset = end(CLUSTER);
    file.write(directory.encode("image"), offset);
    file.resize(end(CLUSTER));
    addBitmaps(bitmaps.size(), directory.encodedBytes(), offset);

    CheckReport report = checkWithoutWriting();

    assertTrue(report.errors() > 0);
    assertEquals(0, report.unchecked(), report.findings()::toString);
  }

  @Test
  void directoryOfAnImpossibleSizeIsNotRead() throws IOException {
    create(1 << 20, "4k", "16");
    addBitmaps(65_535, BitmapsExtension.MAX_DIRECTORY_BYTES, 1L << 50);
    assertEquals(1, checkWithoutWriting().unchecked());
    addBitmaps(65_535, BitmapsExtension.MAX_DIRECTORY_BYTES + 1, CLUSTER);
    Assertions.assertThrows(
        CorruptImageException.class, () -> Qcow2Header.read(file, Limits.DEFAULT));
  }
}
