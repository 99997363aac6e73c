package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Structures lie as the specification's tables say; of Xen's, as its headers do. */
class StructureTest {
  /** "Hard Disk Footer Format"; of the 427 reserved bytes Xen uses the first. */
  @Test
  void footerIsThatOfTheSpecification() {
    assertEquals(
        """
        0 8 Cookie
        8 4 Features
        12 4 File Format Version
        16 8 Data Offset
        24 4 Time Stamp
        28 4 Creator Application
        32 4 Creator Version
        36 4 Creator Host OS
        40 8 Original Size
        48 8 Current Size
        56 4 Disk Geometry
        60 4 Disk Type
        64 4 Checksum
        68 16 Unique Id
        84 1 Saved State
        85 1 Hidden
        86 426 Reserved
        """,
        HardDiskFooter.STRUCT.describe());
    assertEquals(512, HardDiskFooter.STRUCT.size());
  }

  /** "Dynamic Disk Header Format". */
  @Test
  void dynamicHeaderIsThatOfTheSpecification() {
    assertEquals(
        """
        0 8 Cookie
        8 8 Data Offset
        16 8 Table Offset
        24 4 Header Version
        28 4 Max Table Entries
        32 4 Block Size
        36 4 Checksum
        40 16 Parent Unique ID
        56 4 Parent Time Stamp
        60 4 Reserved
        64 512 Parent Unicode Name
        576 24 Parent Locator Entry 1
        600 24 Parent Locator Entry 2
        624 24 Parent Locator Entry 3
        648 24 Parent Locator Entry 4
        672 24 Parent Locator Entry 5
        696 24 Parent Locator Entry 6
        720 24 Parent Locator Entry 7
        744 24 Parent Locator Entry 8
        768 256 Reserved
        """,
        DynamicDiskHeader.STRUCT.describe());
    assertEquals(1024, DynamicDiskHeader.STRUCT.size());
  }

  /** "Parent Locator Entries". */
  @Test
  void parentLocatorIsThatOfTheSpecification() {
    assertEquals(
        """
        0 4 Platform Code
        4 4 Platform Data Space
        8 4 Platform Data Length
        12 4 Reserved
        16 8 Platform Data Offset
        """,
        ParentLocator.STRUCT.describe());
  }

  @Test
  void batmapHeaderIsXens() {
    assertEquals(
        """
        0 8 cookie
        8 8 batmap_offset
        16 4 batmap_size
        20 4 batmap_version
        24 4 checksum
        28 1 marker
        29 1 keyhash.cookie
        30 32 keyhash.nonce
        62 32 keyhash.hash
        94 418 pad
        """,
        BatmapHeader.STRUCT.describe());
  }

  @Test
  void journalIsXens() {
    assertEquals(
        """
        0 8 cookie
        8 16 uuid
        24 8 vhd_footer_offset
        32 4 journal_data_entries
        36 4 journal_metadata_entries
        40 8 journal_data_offset
        48 8 journal_metadata_offset
        56 8 journal_eof
        64 448 pad
        """,
        VhdJournal.HEADER.describe());
    assertEquals(
        """
        0 8 cookie
        8 4 type
        12 4 size
        16 8 offset
        24 4 checksum
        28 4 pad
        """,
        VhdJournal.ENTRY.describe());
  }

  /** Sizes in sectors and what the specification's algorithm makes of them; 8192 is of a sample. */
  @ParameterizedTest
  @CsvSource({
    "8192, 120, 4, 17",
    "12288, 180, 4, 17",
    "1, 0, 4, 17",
    "68, 1, 4, 17",
    "250000, 980, 15, 17",
    "400000, 806, 16, 31",
    "1000000, 992, 16, 63",
    "2097152, 2080, 16, 63",
    "16777216, 16644, 16, 63",
    "66059280, 16191, 16, 255",
    "267382800, 65535, 16, 255",
    "4294967295, 65535, 16, 255",
  })
  void geometryIsCalculatedAsTheSpecificationSays(
      long sectors, int cylinders, int heads, int perTrack) {
    ChsGeometry geometry = ChsGeometry.of(sectors);
    assertEquals(new ChsGeometry(cylinders, heads, perTrack), geometry);
    assertTrue(geometry.sectors() <= sectors);
    assertEquals(geometry, ChsGeometry.decode(geometry.encode()));
    assertTrue(ChsGeometry.holding(sectors).sectors() >= Math.min(sectors, ChsGeometry.MAX_TOTAL));
  }

  @ParameterizedTest
  @CsvSource({
    "'vpc ', true",
    "'vs  ', true",
    "qemu, true",
    "qem2, false",
    "'win ', false",
    "'tap\0', false",
    "'d2v ', false",
    "vbox, false",
    "'wa\0\0', false"
  })
  void theCreatorSaysWhatTheSizeIs(String letters, boolean isOfGeometry) {
    ByteBuffer application =
        ByteBuffer.wrap(letters.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    Creator creator = new Creator(application.getInt() & 0xffff_ffffL, 0x0001_0000, 0);
    long size = 5_000_192;
    HardDiskFooter footer =
        HardDiskFooter.create(
            DiskType.DYNAMIC, creator, size, ChsGeometry.of(size / 512), UUID.randomUUID(), 0);
    long reached = ChsGeometry.of(size / 512).sectors() * 512;
    assertEquals(isOfGeometry ? reached : size, footer.virtualSize());
    assertEquals(6_000_128, footer.withSize(6_000_128).virtualSize());
  }

  @Test
  void theLargestGeometryMeansTheCurrentSize() {
    long size = 200L << 30;
    HardDiskFooter footer =
        HardDiskFooter.create(
            DiskType.DYNAMIC, Creator.QEMU, size, ChsGeometry.of(size / 512), UUID.randomUUID(), 0);
    assertEquals(size, footer.virtualSize());
  }

  @Test
  void headersOfSamplesAreReadAndWrittenTheSame() throws Exception {
    for (String name : List.of("dyn-base.vhd", "diff1.vhd", "ext2.vhd", "fat-differential.vhd")) {
      ByteBuffer image = ByteBuffer.wrap(Samples.bytes(name));
      HardDiskFooter footer = HardDiskFooter.of(image.slice(0, 512));
      assertTrue(footer.hasRightChecksum(), name);
      assertEquals(footer, footer.sealed());
      assertEquals(image.slice(0, 512), footer.bytes());
      DynamicDiskHeader header = DynamicDiskHeader.of(image.slice(512, 1024));
      assertTrue(header.hasRightChecksum(), name);
      assertEquals(header, header.sealed().withLocators(header.locators()));
    }
  }
}
