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
import io.vdisk.Limits;
import io.vdisk.OpenOptions;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Checking;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Structures that the specification forbids, one at a time, with right checksums. */
class VhdxRefusalTest {
  private static final int MIB = 1 << 20;
  private static final long METADATA = 2 * MIB;
  private static final long BAT = 3 * MIB;

  private MemoryFile file = new MemoryFile("image");

  @BeforeEach
  void createImage() throws IOException {
    file = new MemoryFile("image");
    try (BlockDevice device =
        Images.create(
            file,
            CreateOptions.of("vhdx", 4 * MIB)
                .withFormats(VhdxSubject.FORMATS)
                .withOption("block_size", "1048576"))) {
      device.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 0);
    }
  }

  private BlockDevice open(OpenOptions options) throws IOException {
    return Images.open(file, options.withFormat("vhdx").withFormats(VhdxSubject.FORMATS));
  }

  private byte[] bytes() throws IOException {
    byte[] all = new byte[Math.toIntExact(file.size())];
    file.readFully(ByteBuffer.wrap(all), 0);
    return all;
  }

  private void assertRefused(Class<? extends ImageException> type) throws IOException {
    byte[] before = bytes();
    for (OpenOptions options : List.of(OpenOptions.readOnly(), OpenOptions.readWrite())) {
      ImageException refusal = assertThrows(type, () -> open(options));
      assertTrue(String.valueOf(refusal.getMessage()).contains("image"), refusal.toString());
    }
    assertArrayEquals(before, bytes(), "nothing is written");
  }

  private void assertReads() throws IOException {
    try (BlockDevice device = open(OpenOptions.readWrite())) {
      ByteBuffer three = ByteBuffer.allocate(3);
      device.read(three, 0);
      assertArrayEquals(new byte[] {1, 2, 3}, three.array());
      device.write(ByteBuffer.wrap(new byte[] {9}), 2 * MIB);
      assertEquals(0, device.feature(Checking.class).orElseThrow().check((d, t) -> true).errors());
    }
  }

  private void damage(long offset) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    file.readFully(one, offset);
    file.write(ByteBuffer.wrap(new byte[] {(byte) ~one.get(0)}), offset);
  }

  @Test
  void damagedSignatureIsRefused() throws IOException {
    damage(3);
    assertRefused(CorruptImageException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {HeaderPair.FIRST, HeaderPair.SECOND})
  void oneDamagedHeaderIsDoneWithout(long place) throws IOException {
    damage(place + 17);
    assertReads();
  }

  @Test
  void twoDamagedHeadersAreRefused() throws IOException {
    damage(HeaderPair.FIRST + 4);
    damage(HeaderPair.SECOND + 4000);
    assertRefused(CorruptImageException.class);
  }

  @Test
  void headersOfOneNumberThatDifferAreRefused() throws IOException {
    VhdxHeader header = HeaderPair.read(file).current();
    file.write(header.encode(), HeaderPair.FIRST);
    file.write(header.withFileWriteGuid(Guid.random()).encode(), HeaderPair.SECOND);
    assertRefused(CorruptImageException.class);
  }

  @Test
  void anotherVersionIsRefused() throws IOException {
    VhdxHeader header = HeaderPair.read(file).current();
    VhdxHeader other =
        new VhdxHeader(
            header.sequenceNumber() + 1,
            header.fileWriteGuid(),
            header.dataWriteGuid(),
            Guid.NIL,
            0,
            2,
            header.logLength(),
            header.logOffset());
    file.write(other.encode(), HeaderPair.FIRST);
    assertRefused(UnsupportedImageException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "1048576, 0",
    "1048576, 1048575",
    "1, 1048576",
    "1048576, 2097152",
    "1048576, -1048576"
  })
  void logThatCannotLieThereIsRefused(long length, long offset) throws IOException {
    VhdxHeader header = HeaderPair.read(file).current();
    VhdxHeader other =
        new VhdxHeader(
            header.sequenceNumber() + 1,
            header.fileWriteGuid(),
            header.dataWriteGuid(),
            Guid.NIL,
            0,
            1,
            length,
            offset);
    file.write(other.encode(), HeaderPair.FIRST);
    assertRefused(CorruptImageException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {RegionTable.FIRST, RegionTable.SECOND})
  void oneDamagedRegionTableIsDoneWithout(long place) throws IOException {
    damage(place + 40_000);
    assertReads();
  }

  @Test
  void twoDamagedRegionTablesAreRefused() throws IOException {
    damage(RegionTable.FIRST + 17);
    damage(RegionTable.SECOND + 40_000);
    assertRefused(CorruptImageException.class);
  }

  private void writeRegions(RegionTable.Region... more) throws IOException {
    List<RegionTable.Region> regions =
        new ArrayList<>(RegionTable.read(file, new FileRanges("image")).regions());
    for (RegionTable.Region region : more) {
      regions.removeIf(other -> other.guid().equals(region.guid()));
      regions.add(region);
    }
    RegionTable table = new RegionTable(regions, List.of());
    file.write(table.encode(), RegionTable.FIRST);
    file.write(table.encode(), RegionTable.SECOND);
  }

  @Test
  void unknownRegionThatIsRequiredIsRefused() throws IOException {
    file.resize(file.size() + MIB);
    writeRegions(new RegionTable.Region(Guid.random(), file.size() - MIB, MIB, true));
    assertRefused(UnsupportedImageException.class);
  }

  @Test
  void unknownRegionThatIsNotRequiredKeepsItsSpace() throws IOException {
    long place = file.size();
    file.resize(place + MIB);
    byte[] theirs = {4, 5, 6};
    file.write(ByteBuffer.wrap(theirs), place);
    writeRegions(new RegionTable.Region(Guid.random(), place, MIB, false));
    assertReads();
    ByteBuffer after = ByteBuffer.allocate(3);
    file.readFully(after, place);
    assertArrayEquals(theirs, after.array());
  }

  @ParameterizedTest
  @CsvSource({
    "3145728, 1048576", // the BAT
    "2097152, 1048576", // the metadata
    "1048576, 1048576", // the log
    "0, 1048576", // the header section
    "5242880, 0",
    "5242880, 4096",
    "5242881, 1048576",
    "-1048576, 1048576"
  })
  void regionThatCannotLieThereIsRefused(long offset, long length) throws IOException {
    writeRegions(new RegionTable.Region(Guid.random(), offset, length, false));
    assertRefused(CorruptImageException.class);
  }

  @Test
  void regionThatIsThereTwiceIsRefused() throws IOException {
    RegionTable.Region bat = new RegionTable.Region(RegionTable.BAT, BAT, MIB, true);
    RegionTable.Region metadata = new RegionTable.Region(RegionTable.METADATA, METADATA, MIB, true);
    RegionTable.Region again = new RegionTable.Region(RegionTable.BAT, 8L * MIB, MIB, true);
    RegionTable table = new RegionTable(List.of(bat, metadata, again), List.of());
    file.write(table.encode(), RegionTable.FIRST);
    file.write(table.encode(), RegionTable.SECOND);
    assertRefused(CorruptImageException.class);
  }

  @Test
  void imageWithoutATableOfBlocksIsRefused() throws IOException {
    RegionTable table =
        new RegionTable(
            List.of(new RegionTable.Region(RegionTable.METADATA, METADATA, MIB, true)), List.of());
    file.write(table.encode(), RegionTable.FIRST);
    file.write(table.encode(), RegionTable.SECOND);
    assertRefused(CorruptImageException.class);
  }

  private MetadataTable metadata() throws IOException {
    return MetadataTable.read(
        file, new RegionTable.Region(RegionTable.METADATA, METADATA, MIB, true));
  }

  private void writeItem(MetadataTable.Item item) throws IOException {
    file.write(metadata().with(item).encode(), METADATA);
  }

  @Test
  void unknownItemThatIsRequiredIsRefused() throws IOException {
    writeItem(new MetadataTable.Item(Guid.random(), 70_000, 8, MetadataTable.IS_REQUIRED));
    assertRefused(UnsupportedImageException.class);
  }

  @Test
  void unknownItemThatIsNotRequiredIsLeftAlone() throws IOException {
    writeItem(new MetadataTable.Item(Guid.random(), 70_000, 8, MetadataTable.IS_VIRTUAL_DISK));
    writeItem(new MetadataTable.Item(Guid.random(), 0, 0, MetadataTable.IS_USER));
    assertReads();
  }

  @ParameterizedTest
  @CsvSource({
    "65536, 8", // the file parameters
    "65535, 8",
    "4, 8",
    "0, 8",
    "70000, 1048577",
    "1048570, 8",
    "4294967295, 8"
  })
  void itemThatCannotLieThereIsRefused(long offset, long length) throws IOException {
    writeItem(new MetadataTable.Item(Guid.random(), offset, length, 0));
    assertRefused(CorruptImageException.class);
  }

  @Test
  void itemThatIsMissingIsRefused() throws IOException {
    MetadataTable all = metadata();
    for (MetadataTable.Item item : all.items()) {
      file.write(all.without(item.id()).encode(), METADATA);
      assertRefused(CorruptImageException.class);
    }
  }

  private void setItem(Guid id, int at, long value, int width) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value);
    long offset = metadata().find(id).orElseThrow().offset();
    file.write(bytes.limit(width), METADATA + offset + at);
  }

  @ParameterizedTest
  @ValueSource(
      longs = {0, 1, 512 << 10, 3 << 20, (1 << 20) + 1, 512 << 20, 0x8000_0000L, 0xffff_ffffL})
  void blockSizeThatIsNoneIsRefused(long size) throws IOException {
    setItem(MetadataTable.FILE_PARAMETERS, 0, size, 4);
    assertRefused(CorruptImageException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 511, (64L << 40) + 512, Long.MAX_VALUE, -512})
  void virtualSizeThatIsNoneIsRefused(long size) throws IOException {
    setItem(MetadataTable.VIRTUAL_DISK_SIZE, 0, size, 8);
    assertRefused(CorruptImageException.class);
  }

  @Test
  void tableThatIsTooSmallForTheDiskIsRefused() throws IOException {
    setItem(MetadataTable.VIRTUAL_DISK_SIZE, 0, 64L << 40, 8);
    assertRefused(CorruptImageException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 1024, 8192, 0xffff_ffffL})
  void sectorSizeThatIsNoneIsRefused(long size) throws IOException {
    setItem(MetadataTable.LOGICAL_SECTOR_SIZE, 0, size, 4);
    assertRefused(UnsupportedImageException.class);
    createImage();
    setItem(MetadataTable.PHYSICAL_SECTOR_SIZE, 0, size, 4);
    assertRefused(UnsupportedImageException.class);
  }

  @Test
  void parentWithoutALocatorIsRefused() throws IOException {
    setItem(MetadataTable.FILE_PARAMETERS, 4, DiskParameters.HAS_PARENT, 4);
    assertRefused(CorruptImageException.class);
  }

  private void writeLocator(byte[] locator) throws IOException {
    setItem(MetadataTable.FILE_PARAMETERS, 4, DiskParameters.HAS_PARENT, 4);
    writeItem(
        new MetadataTable.Item(
            MetadataTable.PARENT_LOCATOR, 70_000, locator.length, MetadataTable.IS_REQUIRED));
    file.write(ByteBuffer.wrap(locator), METADATA + 70_000);
  }

  @Test
  void locatorThatIsNoneIsRefused() throws IOException {
    byte[] locator = ParentLocator.of("parent.vhdx", Guid.random()).encode();
    byte[] foreign = locator.clone();
    foreign[0] ^= 1;
    writeLocator(foreign);
    assertRefused(UnsupportedImageException.class);
    for (int at : new int[] {18, 20, 24, 28, 30, 32, 36, 40, 42}) {
      for (int value : new int[] {0, 1, 0x7f, 0xff}) {
        createImage();
        byte[] damaged = locator.clone();
        damaged[at] = (byte) value;
        damaged[at + 1] = (byte) value;
        writeLocator(damaged);
        ImageException refusal =
            assertThrows(ImageException.class, () -> open(OpenOptions.readWrite()));
        assertTrue(refusal.toString().contains("image"), refusal.toString());
      }
    }
  }

  @Test
  void limitsAreKept() throws IOException {
    OpenOptions small =
        OpenOptions.readOnly().withLimits(Limits.DEFAULT.withVirtualSize(4 * MIB - 1));
    assertThrows(ImageException.class, () -> open(small));
    OpenOptions narrow = OpenOptions.readOnly().withLimits(Limits.DEFAULT.withTableBytes(31));
    assertThrows(ImageException.class, () -> open(narrow));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "subformat=sparse",
        "block_size=3145728",
        "block_size=524288",
        "block_size=536870912",
        "block_size=x",
        "log_size=1000000",
        "log_size=0",
        "block_state_zero=maybe",
        "logical_sector_size=1024",
        "preallocation=full",
        "block_state=zero"
      })
  void optionThatIsNoneIsRefusedByItsName(String option) throws IOException {
    MemoryFile empty = new MemoryFile("empty");
    String[] parts = option.split("=");
    CreateOptions options =
        CreateOptions.of("vhdx", MIB)
            .withFormats(VhdxSubject.FORMATS)
            .withOption(parts[0], parts[1]);
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> Images.create(empty, options));
    assertTrue(String.valueOf(refusal.getMessage()).contains(parts[0]), refusal.toString());
    assertEquals(0, empty.size());
  }

  @Test
  void diskOfMoreThan64TiBIsNotMade() throws IOException {
    MemoryFile empty = new MemoryFile("empty");
    CreateOptions options =
        CreateOptions.of("vhdx", (64L << 40) + 1).withFormats(VhdxSubject.FORMATS);
    assertThrows(UnsupportedImageException.class, () -> Images.create(empty, options));
    assertEquals(0, empty.size());
  }
}
