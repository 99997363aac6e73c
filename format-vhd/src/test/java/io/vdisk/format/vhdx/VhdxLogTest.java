package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.CrashImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Logs as others write them, and such as nobody should: built here entry by entry. */
class VhdxLogTest {
  private static final int MIB = 1 << 20;
  private static final int LOG = MIB;
  private static final int SECTOR = LogEntry.SECTOR;
  private static final int BLOCKS = 4;

  private final Guid guid = Guid.random();
  private MemoryFile file = new MemoryFile("image");
  private long bat;

  @BeforeEach
  void createImage() throws IOException {
    file = new MemoryFile("image");
    try (BlockDevice device =
        Images.create(
            file,
            CreateOptions.of("vhdx", BLOCKS * MIB)
                .withFormats(VhdxSubject.FORMATS)
                .withOption("block_size", "1048576"))) {
      device.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 0);
    }
    bat = 3 * MIB;
    HeaderPair headers = HeaderPair.read(file);
    headers.updateBoth(headers.current().withLogGuid(guid));
    byte[] old = new byte[LOG];
    file.write(ByteBuffer.wrap(old), LOG);
  }

  /** The BAT's first sector with a block's entry replaced. */
  private ByteBuffer batWith(int block, long raw) throws IOException {
    ByteBuffer sector = ByteBuffer.allocate(SECTOR).order(ByteOrder.LITTLE_ENDIAN);
    file.readFully(sector, bat);
    return sector.putLong(block * Long.BYTES, raw).rewind();
  }

  /** An entry with another tail than itself. */
  private ByteBuffer entry(long sequence, long position, long tail, LogEntry.Update... updates)
      throws IOException {
    ByteBuffer entry =
        LogEntry.encode(List.of(updates), guid, sequence, position, file.size(), file.size());
    LogEntry.TAIL.put(entry, 0, tail);
    return sealed(entry);
  }

  private static ByteBuffer sealed(ByteBuffer entry) {
    LogEntry.CHECKSUM.put(entry, 0, Crc.of(entry, LogEntry.CHECKSUM));
    return entry;
  }

  /** Puts an entry into the log, around its end if need be. */
  private void put(ByteBuffer entry, long position) throws IOException {
    for (int at = 0; at < entry.capacity(); at += SECTOR) {
      file.write(entry.slice(at, SECTOR), MIB + (position + at) % LOG);
    }
  }

  private BlockDevice open(boolean writable) throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return Images.open(file, options.withFormats(VhdxSubject.FORMATS));
  }

  /** The states of the blocks, as they are shown, and as they are after a replay. */
  private List<Long> replayed() throws IOException {
    byte[] before = bytes();
    byte[] shown;
    try (BlockDevice device = open(false)) {
      shown = Disks.read(device);
    }
    assertArrayEquals(before, bytes(), "a look writes nothing");
    try (BlockDevice device = open(true)) {
      assertArrayEquals(shown, Disks.read(device));
    }
    assertTrue(HeaderPair.read(file).current().logGuid().isNil());
    ByteBuffer sector = ByteBuffer.allocate(SECTOR).order(ByteOrder.LITTLE_ENDIAN);
    file.readFully(sector, bat);
    List<Long> entries = new ArrayList<>();
    for (int i = 0; i < BLOCKS; i++) {
      entries.add(sector.getLong(i * Long.BYTES));
    }
    return entries;
  }

  private byte[] bytes() throws IOException {
    byte[] all = new byte[Math.toIntExact(file.size())];
    file.readFully(ByteBuffer.wrap(all), 0);
    return all;
  }

  private LogEntry.Update zeroed(int block, int state) throws IOException {
    return new LogEntry.Update(bat, batWith(block, state));
  }

  @Test
  void sequenceOfSeveralEntriesIsReplayedFromItsTail() throws IOException {
    put(entry(7, 0, 0, zeroed(0, BatEntry.NOT_PRESENT)), 0);
    put(entry(8, 2 * SECTOR, 0, zeroed(1, BatEntry.UNMAPPED)), 2 * SECTOR);
    put(entry(9, 4 * SECTOR, 2 * SECTOR, zeroed(2, BatEntry.UNDEFINED)), 4 * SECTOR);
    List<Long> entries = replayed();
    assertTrue(new BatEntry(entries.get(0)).isPresent(), "entry 7 was in place already");
    assertEquals(BatEntry.UNDEFINED, entries.get(2), "the last update of a sector wins");
  }

  @Test
  void entryThatWrapsAroundTheEndOfTheLogIsReplayed() throws IOException {
    put(entry(3, LOG - SECTOR, LOG - SECTOR, zeroed(1, BatEntry.UNMAPPED)), LOG - SECTOR);
    assertEquals(BatEntry.UNMAPPED, replayed().get(1));
  }

  @Test
  void newestOfTwoSequencesIsReplayed() throws IOException {
    put(entry(20, 8 * SECTOR, 8 * SECTOR, zeroed(1, BatEntry.UNMAPPED)), 8 * SECTOR);
    put(entry(19, 16 * SECTOR, 16 * SECTOR, zeroed(1, BatEntry.UNDEFINED)), 16 * SECTOR);
    assertEquals(BatEntry.UNMAPPED, replayed().get(1));
  }

  @Test
  void entriesOfAnotherLogAreNotReplayed() throws IOException {
    put(entry(5, 0, 0, zeroed(1, BatEntry.UNMAPPED)), 0);
    ByteBuffer others =
        LogEntry.encode(List.of(zeroed(1, BatEntry.UNDEFINED)), Guid.random(), 6, 2 * SECTOR, 0, 0);
    put(others, 2 * SECTOR);
    assertEquals(BatEntry.UNMAPPED, replayed().get(1));
  }

  @Test
  void tornEntryBehindAWholeOneIsLeftOut() throws IOException {
    put(entry(5, 0, 0, zeroed(1, BatEntry.UNMAPPED)), 0);
    put(entry(6, 2 * SECTOR, 2 * SECTOR, zeroed(1, BatEntry.UNDEFINED)), 2 * SECTOR);
    file.write(ByteBuffer.wrap(new byte[] {77}), MIB + 3 * SECTOR + 512);
    assertEquals(BatEntry.UNMAPPED, replayed().get(1));
  }

  @Test
  void zeroDescriptorClearsItsRange() throws IOException {
    ByteBuffer entry = ByteBuffer.allocate(SECTOR);
    ByteBuffer empty = entry(4, 0, 0);
    entry.put(0, empty, 0, SECTOR);
    LogEntry.DESCRIPTOR_COUNT.put(entry, 0, 1);
    int at = LogEntry.descriptor(0);
    LogEntry.ZERO_SIGNATURE.put(entry, at, LogEntry.ZERO_DESCRIPTOR);
    LogEntry.ZERO_LENGTH.put(entry, at, MIB);
    LogEntry.ZERO_FILE_OFFSET.put(entry, at, bat);
    LogEntry.ZERO_SEQUENCE.put(entry, at, 4);
    put(sealed(entry), 0);
    assertEquals(List.of(0L, 0L, 0L, 0L), replayed());
  }

  @Test
  void fileThatLostItsEndGrowsAgain() throws IOException {
    long size = file.size();
    ByteBuffer entry =
        LogEntry.encode(
            List.of(new LogEntry.Update(bat, batWith(3, (size + MIB) | BatEntry.FULLY_PRESENT))),
            guid,
            2,
            0,
            size,
            size + 2 * MIB);
    put(entry, 0);
    assertEquals((size + MIB) | BatEntry.FULLY_PRESENT, replayed().get(3));
    assertEquals(size + 2 * MIB, file.size());
  }

  @Test
  void logThatNeverHadAnEntryIsEmpty() throws IOException {
    assertTrue(new BatEntry(replayedOfEmpty().get(0)).isPresent());
  }

  private List<Long> replayedOfEmpty() throws IOException {
    try (BlockDevice device = open(true)) {
      device.write(ByteBuffer.wrap(new byte[] {9}), 5);
    }
    return replayed();
  }

  private void assertRefused(Class<? extends ImageException> type) throws IOException {
    byte[] before = bytes();
    for (boolean writable : new boolean[] {false, true}) {
      ImageException refusal =
          Assertions.assertTimeoutPreemptively(
              Duration.ofSeconds(20), () -> assertThrows(type, () -> open(writable)));
      assertTrue(String.valueOf(refusal.getMessage()).contains("image"), refusal.toString());
      assertArrayEquals(before, bytes(), "nothing is written");
    }
  }

  @Test
  void logWithoutAnyWholeEntryIsRefused() throws IOException {
    put(entry(5, 0, 0, zeroed(1, BatEntry.UNMAPPED)), 0);
    file.write(ByteBuffer.wrap(new byte[] {77}), MIB + SECTOR + 99);
    assertRefused(CorruptImageException.class);
  }

  /** What a repair can say of it: that it is no log. */
  @Test
  void logWithoutAnyWholeEntryIsGivenUpByARepair() throws IOException {
    put(entry(5, 0, 0, zeroed(1, BatEntry.UNMAPPED)), 0);
    file.write(ByteBuffer.wrap(new byte[] {77}), MIB + SECTOR + 99);
    OpenOptions options = OpenOptions.readWrite().forRepair().withFormats(VhdxSubject.FORMATS);
    byte[] before = bytes();
    try (BlockDevice device = Images.open(file, options)) {
      assertThrows(
          CorruptImageException.class, () -> device.write(ByteBuffer.wrap(new byte[] {1}), 0));
      assertEquals(
          1,
          device
              .feature(io.vdisk.feature.Repairing.class)
              .orElseThrow()
              .repair(io.vdisk.feature.Repairing.Scope.LEAKS, (d, t) -> true)
              .errors());
      assertArrayEquals(before, bytes());
      io.vdisk.feature.CheckReport report =
          device
              .feature(io.vdisk.feature.Repairing.class)
              .orElseThrow()
              .repair(io.vdisk.feature.Repairing.Scope.ALL, (d, t) -> true);
      assertEquals(1, report.errors());
      assertEquals(1, report.errorsFixed());
    }
    try (BlockDevice device = open(true)) {
      ByteBuffer three = ByteBuffer.allocate(3);
      device.read(three, 0);
      assertArrayEquals(new byte[] {1, 2, 3}, three.array());
    }
  }

  @Test
  void entryWhoseTailIsNotInItsSequenceIsNoSequence() throws IOException {
    put(entry(5, 0, 0, zeroed(1, BatEntry.UNMAPPED)), 0);
    put(entry(9, 2 * SECTOR, 8 * SECTOR, zeroed(1, BatEntry.UNDEFINED)), 2 * SECTOR);
    assertEquals(BatEntry.UNMAPPED, replayed().get(1));
  }

  @Test
  void truncatedFileIsRefused() throws IOException {
    put(entry(5, 0, 0, zeroed(1, BatEntry.UNMAPPED)), 0);
    file.resize(file.size() - MIB);
    assertRefused(CorruptImageException.class);
  }

  @Test
  void updatesOfHeadersAndOfTheLogItselfAreRefused() throws IOException {
    for (long offset : new long[] {0, 64 << 10, 128 << 10, MIB, 2 * MIB - SECTOR, -SECTOR}) {
      createImageAgain();
      put(entry(5, 0, 0, new LogEntry.Update(offset, ByteBuffer.allocate(SECTOR))), 0);
      assertRefused(CorruptImageException.class);
    }
  }

  private void createImageAgain() throws IOException {
    createImage();
  }

  @Test
  void updatePastTheEndIsRefused() throws IOException {
    put(entry(5, 0, 0, new LogEntry.Update(file.size(), ByteBuffer.allocate(SECTOR))), 0);
    assertRefused(CorruptImageException.class);
  }

  @Test
  void logThatWantsAHugeFileIsRefused() throws IOException {
    for (long last : new long[] {1L << 45, Long.MAX_VALUE, -1}) {
      createImage();
      ByteBuffer entry = entry(5, 0, 0, zeroed(1, BatEntry.UNMAPPED));
      LogEntry.LAST_FILE_OFFSET.put(entry, 0, last);
      put(sealed(entry), 0);
      assertRefused(CorruptImageException.class);
    }
  }

  @Test
  void hugeZeroDescriptorIsRefused() throws IOException {
    for (long length : new long[] {1L << 40, -1, 0, 1}) {
      createImage();
      ByteBuffer entry = ByteBuffer.allocate(SECTOR).put(0, entry(4, 0, 0), 0, SECTOR);
      LogEntry.DESCRIPTOR_COUNT.put(entry, 0, 1);
      int at = LogEntry.descriptor(0);
      LogEntry.ZERO_SIGNATURE.put(entry, at, LogEntry.ZERO_DESCRIPTOR);
      LogEntry.ZERO_LENGTH.put(entry, at, length);
      LogEntry.ZERO_FILE_OFFSET.put(entry, at, bat);
      LogEntry.ZERO_SEQUENCE.put(entry, at, 4);
      put(sealed(entry), 0);
      assertRefused(ImageException.class);
    }
  }

  /** Every sector begins an entry that claims the whole log: to look at all takes no time. */
  @Test
  void logOfEntriesWithoutEndIsRefusedSoon() throws IOException {
    for (int sector = 0; sector < LOG / SECTOR; sector++) {
      ByteBuffer entry = ByteBuffer.allocate(SECTOR).put(0, entry(4, 0, 0), 0, SECTOR);
      LogEntry.ENTRY_LENGTH.put(entry, 0, LOG);
      file.write(entry, MIB + (long) sector * SECTOR);
    }
    assertRefused(CorruptImageException.class);
  }

  @Test
  void descriptorCountThatDoesNotFitIsRefused() throws IOException {
    for (long count : new long[] {2, 127, 0xffff_ffffL}) {
      createImage();
      ByteBuffer entry = entry(5, 0, 0, zeroed(1, BatEntry.UNMAPPED));
      LogEntry.DESCRIPTOR_COUNT.put(entry, 0, count);
      put(sealed(entry), 0);
      assertRefused(CorruptImageException.class);
    }
  }

  @Test
  void logOfAnUnknownVersionIsRefusedUnlessItIsEmpty() throws IOException {
    VhdxHeader current = HeaderPair.read(file).current();
    VhdxHeader other =
        new VhdxHeader(
            current.sequenceNumber() + 1,
            current.fileWriteGuid(),
            current.dataWriteGuid(),
            guid,
            7,
            1,
            current.logLength(),
            current.logOffset());
    file.write(other.encode(), 64 << 10);
    assertRefused(UnsupportedImageException.class);
    VhdxHeader empty =
        new VhdxHeader(
            other.sequenceNumber(),
            other.fileWriteGuid(),
            other.dataWriteGuid(),
            Guid.NIL,
            7,
            1,
            other.logLength(),
            other.logOffset());
    file.write(empty.encode(), 64 << 10);
    open(false).close();
  }

  /** A reader that keeps to the specification refuses a log without a valid entry. */
  @Test
  void headerNamesNoLogWithoutAWholeEntry() throws IOException {
    CrashDisk disk = new CrashDisk();
    Random random = new Random(8);
    int[] named = {0};
    io.vdisk.spi.CreateSession.create(
        disk.file("image"),
        CreateOptions.of("vhdx", BLOCKS * MIB)
            .withFormats(VhdxSubject.FORMATS)
            .withOption("block_size", "1048576"));
    disk.file("image").flush();
    disk.setHook(
        event -> {
          for (CrashImage image : List.of(disk.cut(random), disk.cutLosingAll())) {
            io.vdisk.file.HostFile left = image.files().get(0);
            VhdxHeader header = HeaderPair.read(left).current();
            if (!header.logGuid().isNil()) {
              named[0]++;
              assertTrue(!LogScan.active(left, header).isEmpty(), event.toString());
            }
          }
        });
    for (int turn = 0; turn < 3; turn++) {
      try (BlockDevice device =
          Images.open(
              disk.file("image"), OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS))) {
        for (int i = 0; i < 20; i++) {
          device.write(ByteBuffer.wrap(new byte[] {1}), (long) (i % BLOCKS) * MIB);
          device.flush();
          device.writeZeroes((long) (i * 3 % BLOCKS) * MIB, MIB);
          device.flush();
        }
      }
    }
    disk.setHook(event -> {});
    assertTrue(named[0] > 100, named[0] + " images with a log");
  }

  /**
   * What a killed process leaves is replayed; then the log is said to be empty, in both headers.
   */
  @Test
  void guidsChangeBeforeTheFirstChangeOfAnOpening() throws IOException {
    createImage();
    HeaderPair headers = HeaderPair.read(file);
    headers.updateBoth(headers.current().withLogGuid(Guid.NIL));
    VhdxHeader before = headers.current();
    try (BlockDevice device = open(true)) {
      assertEquals(before, HeaderPair.read(file).current(), "nothing was changed yet");
      device.write(ByteBuffer.wrap(new byte[] {4}), 100);
      VhdxHeader during = HeaderPair.read(file).current();
      assertTrue(!during.fileWriteGuid().equals(before.fileWriteGuid()));
      assertTrue(!during.dataWriteGuid().equals(before.dataWriteGuid()));
      assertTrue(!during.logGuid().isNil());
      assertEquals(
          during.dataWriteGuid().toString(), device.info().details().get("data-write-guid"));
    }
    VhdxHeader after = HeaderPair.read(file).current();
    assertTrue(after.logGuid().isNil());
    ByteBuffer first = ByteBuffer.allocate(4096);
    ByteBuffer second = ByteBuffer.allocate(4096);
    file.readFully(first, HeaderPair.FIRST);
    file.readFully(second, HeaderPair.SECOND);
    assertTrue(VhdxHeader.decode(first.flip()).orElseThrow().logGuid().isNil());
    assertTrue(VhdxHeader.decode(second.flip()).orElseThrow().logGuid().isNil());
  }
}
