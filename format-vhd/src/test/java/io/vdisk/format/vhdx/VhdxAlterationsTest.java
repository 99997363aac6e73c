package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.CrashDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes of an image as a whole: its size, what is mended, what is given back. */
class VhdxAlterationsTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 3 * MIB + 512;

  private final MemoryFile file = new MemoryFile("image");
  private final Random random = new Random(5);

  private BlockDevice create(long size, String subformat, String block) throws IOException {
    return Images.create(
        file,
        CreateOptions.of("vhdx", size)
            .withFormats(VhdxSubject.FORMATS)
            .withOption("block_size", block)
            .withOption("subformat", subformat));
  }

  private BlockDevice open(boolean writable) throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return Images.open(file, options.withFormats(VhdxSubject.FORMATS));
  }

  private CheckReport check() throws IOException {
    try (BlockDevice device = open(false)) {
      return device.feature(Checking.class).orElseThrow().check((d, t) -> true);
    }
  }

  private CheckReport repair(Repairing.Scope scope) throws IOException {
    try (BlockDevice device = open(true)) {
      return device.feature(Repairing.class).orElseThrow().repair(scope, (d, t) -> true);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "fixed"})
  void diskThatGrowsReadsAsZeroBehindItsOldEnd(String subformat) throws IOException {
    byte[] model = new byte[SIZE];
    byte[] larger;
    try (BlockDevice device = create(SIZE, subformat, "1048576")) {
      Disks.write(device, model, 30, random);
      device.feature(Resizing.class).orElseThrow().resize(9 * MIB);
      larger = Arrays.copyOf(model, 9 * MIB);
      assertArrayEquals(larger, Disks.read(device));
      Disks.change(device, larger, 60, random);
      assertArrayEquals(larger, Disks.read(device));
    }
    try (BlockDevice device = open(false)) {
      assertEquals(9 * MIB, device.size());
      assertArrayEquals(larger, Disks.read(device));
    }
    assertTrue(check().findings().isEmpty(), () -> "findings");
  }

  /** What a block holds behind the disk's end may be anything; others leave it so. */
  @Test
  void bytesBehindTheOldEndOfABlockAreNotShown() throws IOException {
    try (BlockDevice device = create(SIZE, "dynamic", "1048576")) {
      device.write(ByteBuffer.wrap(new byte[] {1}), SIZE - 1);
    }
    long place;
    try (BlockDevice device = open(false)) {
      place = device.extentAt(SIZE - 1, 1).fileOffset() + 1;
    }
    byte[] noise = new byte[1000];
    Arrays.fill(noise, (byte) 7);
    file.write(ByteBuffer.wrap(noise), place);
    try (BlockDevice device = open(true)) {
      device.feature(Resizing.class).orElseThrow().resize(4 * MIB);
      byte[] read = Disks.read(device);
      assertEquals(1, read[SIZE - 1]);
      for (int i = SIZE; i < read.length; i++) {
        assertEquals(0, read[i], "byte " + i);
      }
    }
  }

  @Test
  void tableThatIsTooSmallMovesToTheEnd() throws IOException {
    long most = 131_040L * MIB; // as many blocks of 1 MiB as a table of 1 MiB has room for
    byte[] text = {1, 2, 3, 4};
    long before = 0;
    try (BlockDevice device = create(most, "dynamic", "1048576")) {
      device.write(ByteBuffer.wrap(text), most - 4);
      before = file.size();
      device.feature(Resizing.class).orElseThrow().resize(8 * most);
      device.write(ByteBuffer.wrap(text), 8 * most - 4);
    }
    try (BlockDevice device = open(false)) {
      assertEquals(8 * most, device.size());
      ByteBuffer end = ByteBuffer.allocate(4);
      device.read(end, most - 4);
      assertArrayEquals(text, end.array());
      device.read(end.clear(), 8 * most - 4);
      assertArrayEquals(text, end.array());
    }
    FileRanges ranges = new FileRanges("image");
    RegionTable.Region bat = RegionTable.read(file, ranges).require(RegionTable.BAT, "BAT", file);
    assertTrue(bat.offset() >= before, "the table lies at " + bat.offset());
    assertTrue(check().findings().isEmpty(), "findings");
  }

  @Test
  void shrinkingIsRefused() throws IOException {
    try (BlockDevice device = create(SIZE, "dynamic", "1048576")) {
      Resizing resizing = device.feature(Resizing.class).orElseThrow();
      assertThrows(UnsupportedImageException.class, () -> resizing.resize(SIZE - 512));
      assertThrows(UnsupportedImageException.class, () -> resizing.resize(SIZE + 1));
      assertThrows(UnsupportedImageException.class, () -> resizing.resize((64L << 40) + 512));
      assertEquals(SIZE, device.size());
    }
  }

  /** A disk whose size changes has the old size or the new one, and reads the same. */
  @Test
  void powerCutWhileADiskGrowsLeavesTheOldOrTheNewSize() throws IOException {
    CrashDisk disk = new CrashDisk();
    BlockDevice device =
        Images.create(
            disk.file("image"),
            CreateOptions.of("vhdx", SIZE)
                .withFormats(VhdxSubject.FORMATS)
                .withOption("block_size", "1048576"));
    byte[] model = new byte[SIZE];
    Disks.write(device, model, 20, random);
    device.flush();
    int[] looks = {0, 0};
    disk.setHook(
        event -> {
          for (var image : new Object[] {disk.cut(random), disk.cutLosingAll()}) {
            var files = ((io.vdisk.testkit.CrashImage) image).files();
            try (BlockDevice left =
                Images.open(
                    files.get(0), OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS))) {
              assertTrue(left.size() == SIZE || left.size() == 9 * MIB, "size " + left.size());
              looks[left.size() == SIZE ? 0 : 1]++;
              assertArrayEquals(Arrays.copyOf(model, (int) left.size()), Disks.read(left));
            }
          }
        });
    device.feature(Resizing.class).orElseThrow().resize(9 * MIB);
    disk.setHook(event -> {});
    device.close();
    assertTrue(looks[0] > 0 && looks[1] > 0, Arrays.toString(looks));
  }

  @Test
  void damagedHeaderAndRegionTableAreMendedFromTheirCopies() throws IOException {
    byte[] model = new byte[SIZE];
    try (BlockDevice device = create(SIZE, "dynamic", "1048576")) {
      Disks.write(device, model, 10, random);
    }
    file.write(ByteBuffer.wrap(new byte[] {1}), HeaderPair.FIRST + 100);
    file.write(ByteBuffer.wrap(new byte[] {1}), RegionTable.FIRST + 1000);
    CheckReport found = check();
    assertEquals(0, found.errors());
    assertEquals(2, found.warnings(), found.findings().toString());
    assertEquals(2, repair(Repairing.Scope.ALL).warnings());
    assertEquals(0, check().warnings(), check().findings().toString());
    file.write(ByteBuffer.wrap(new byte[] {1}), HeaderPair.SECOND + 100);
    file.write(ByteBuffer.wrap(new byte[] {1}), RegionTable.SECOND + 1000);
    try (BlockDevice device = open(false)) {
      assertArrayEquals(model, Disks.read(device));
    }
  }

  @Test
  void spaceThatNothingNamesIsGivenBackAtTheEnd() throws IOException {
    try (BlockDevice device = create(SIZE, "dynamic", "1048576")) {
      device.write(ByteBuffer.wrap(new byte[2 * MIB]), 0);
      device.writeZeroes(MIB, MIB);
    }
    long before = file.size();
    CheckReport report = repair(Repairing.Scope.LEAKS);
    assertEquals(before - MIB, file.size());
    assertTrue(report.isClean());
    assertTrue(check().findings().isEmpty());
  }

  private void setEntry(int block, long raw) throws IOException {
    ByteBuffer word = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, raw);
    file.write(word, 3 * MIB + 8L * block);
  }

  @Test
  void zeroBlockThatNamesAPlaceIsMended() throws IOException {
    create(SIZE, "dynamic", "1048576").close();
    setEntry(1, 100L * MIB | 0x8_0000 | BatEntry.ZERO);
    assertEquals(1, check().warnings());
    assertEquals(1, repair(Repairing.Scope.ALL).warnings());
    assertTrue(check().findings().isEmpty());
  }

  @Test
  void blocksThatShareSpaceAreReportedAndNotWritten() throws IOException {
    try (BlockDevice device = create(SIZE, "dynamic", "1048576")) {
      device.write(ByteBuffer.wrap(new byte[] {1}), 0);
    }
    setEntry(1, 4L * MIB | BatEntry.FULLY_PRESENT);
    CheckReport report = check();
    assertEquals(1, report.errors(), report.findings().toString());
    byte[] before = bytes();
    try (BlockDevice device = open(true)) {
      assertThrows(
          CorruptImageException.class, () -> device.write(ByteBuffer.wrap(new byte[] {2}), 0));
      assertFalse(device.feature(Repairing.class).isEmpty());
    }
    assertArrayEquals(before, bytes());
  }

  @Test
  void blocksPastTheEndAreReportedAndNotRead() throws IOException {
    create(SIZE, "dynamic", "1048576").close();
    for (long raw :
        new long[] {
          4L * MIB | BatEntry.FULLY_PRESENT,
          1L << 62 | BatEntry.FULLY_PRESENT,
          -1L << 20 | BatEntry.FULLY_PRESENT,
          BatEntry.FULLY_PRESENT,
          4,
          4L * MIB | BatEntry.PARTIALLY_PRESENT
        }) {
      setEntry(1, raw);
      assertTrue(check().errors() > 0, Long.toHexString(raw));
      try (BlockDevice device = open(true)) {
        ByteBuffer one = ByteBuffer.allocate(1);
        assertThrows(CorruptImageException.class, () -> device.read(one, MIB));
        assertThrows(CorruptImageException.class, () -> device.read(ByteBuffer.allocate(SIZE), 0));
        assertThrows(CorruptImageException.class, () -> device.write(ByteBuffer.allocate(1), MIB));
      }
    }
  }

  @Test
  void blocksOverTheTablesAreReportedAndNotWritten() throws IOException {
    create(SIZE, "dynamic", "1048576").close();
    for (int unit = 1; unit < 4; unit++) {
      setEntry(1, (long) unit * MIB | BatEntry.FULLY_PRESENT);
      assertEquals(1, check().errors());
      try (BlockDevice device = open(true)) {
        assertThrows(CorruptImageException.class, () -> device.write(ByteBuffer.allocate(1), MIB));
      }
    }
  }

  private byte[] bytes() throws IOException {
    byte[] all = new byte[Math.toIntExact(file.size())];
    file.readFully(ByteBuffer.wrap(all), 0);
    return all;
  }

  /** A place that another implementation keeps for a block that was unmapped is not given away. */
  @Test
  void spaceOfAnUnmappedBlockIsNotTakenForAnother() throws IOException {
    try (BlockDevice device = create(SIZE, "dynamic", "1048576")) {
      device.write(ByteBuffer.wrap(new byte[] {1}), 0);
    }
    setEntry(0, 4L * MIB | BatEntry.UNMAPPED);
    assertTrue(check().findings().isEmpty(), "an unmapped block may keep its place");
    try (BlockDevice device = open(true)) {
      device.write(ByteBuffer.wrap(new byte[] {2}), MIB);
      assertTrue(device.extentAt(MIB, 1).fileOffset() >= 5L * MIB);
      device.write(ByteBuffer.wrap(new byte[] {3}), 5);
      ByteBuffer start = ByteBuffer.allocate(6);
      device.read(start, 0);
      assertArrayEquals(new byte[] {0, 0, 0, 0, 0, 3}, start.array());
    }
  }

  /** While a block is not present its bits mean nothing, and others leave them as they were. */
  @Test
  void bitsOfABlockThatIsNotPresentAreNotBelievedLater() throws IOException {
    byte[] model = new byte[SIZE];
    random.nextBytes(model);
    BlockDevice parent = Images.ram(SIZE);
    parent.write(ByteBuffer.wrap(model), 0);
    OpenOptions options =
        OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS).withBacking(parent);
    io.vdisk.spi.CreateSession.create(
        file,
        CreateOptions.of("vhdx", SIZE)
            .withFormats(VhdxSubject.FORMATS)
            .withOption("block_size", "1048576")
            .withBacking("parent.vhdx", "vhdx")
            .withoutOpeningBacking());
    try (BlockDevice child = Images.open(file, options)) {
      child.write(ByteBuffer.wrap(new byte[8192]), 4096);
    }
    setEntry(0, BatEntry.NOT_PRESENT);
    try (BlockDevice child = Images.open(file, options)) {
      assertArrayEquals(model, Disks.read(child));
      child.write(ByteBuffer.wrap(new byte[512]), 65_536);
      Arrays.fill(model, 65_536, 65_536 + 512, (byte) 0);
      assertArrayEquals(model, Disks.read(child));
    }
  }

  /** A child grows: what its parent has behind the old end is never shown. */
  @Test
  void childThatGrowsDoesNotShowItsLargerParent() throws IOException {
    byte[] below = new byte[9 * MIB];
    random.nextBytes(below);
    BlockDevice parent = Images.ram(below.length);
    parent.write(ByteBuffer.wrap(below), 0);
    OpenOptions options =
        OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS).withBacking(parent);
    io.vdisk.spi.CreateSession.create(
        file,
        CreateOptions.of("vhdx", SIZE)
            .withFormats(VhdxSubject.FORMATS)
            .withOption("block_size", "1048576")
            .withBacking("parent.vhdx", "vhdx")
            .withoutOpeningBacking());
    byte[] model = Arrays.copyOf(Arrays.copyOf(below, SIZE), below.length);
    try (BlockDevice child = Images.open(file, options)) {
      child.write(ByteBuffer.wrap(new byte[] {1}), 5);
      model[5] = 1;
      child.feature(Resizing.class).orElseThrow().resize(below.length);
      assertArrayEquals(model, Disks.read(child));
    }
    try (BlockDevice child = Images.open(file, options)) {
      assertArrayEquals(model, Disks.read(child));
      assertTrue(
          child.feature(Checking.class).orElseThrow().check((d, t) -> true).findings().isEmpty());
    }
  }
}
