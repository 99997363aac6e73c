package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.file.MemoryFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Structures lie as the tables of the specification have them. */
class VmdkStructureTest {
  private static void assertDescribes(Struct struct, String table) {
    assertEquals(table, struct.describe());
  }

  /** Virtual Disk Format 5.0, "Hosted Sparse Extent Header"; packed. */
  @Test
  void sparseExtentHeaderIsThatOfTheSpecification() {
    assertDescribes(
        SparseHeader.STRUCT,
        """
        0 4 magicNumber
        4 4 version
        8 4 flags
        12 8 capacity
        20 8 grainSize
        28 8 descriptorOffset
        36 8 descriptorSize
        44 4 numGTEsPerGT
        48 8 rgdOffset
        56 8 gdOffset
        64 8 overHead
        72 1 uncleanShutdown
        73 4 endLineChars
        77 2 compressAlgorithm
        79 433 pad
        """);
  }

  /** "ESX Server Sparse Extent Header". */
  @Test
  void cowdHeaderIsThatOfTheSpecification() {
    assertDescribes(
        CowdHeader.STRUCT,
        """
        0 4 magicNumber
        4 4 version
        8 4 flags
        12 4 numSectors
        16 4 grainSize
        20 4 gdOffset
        24 4 numGDEntries
        28 4 freeSector
        32 1028 u
        1060 4 generation
        1064 60 name
        1124 512 description
        1636 4 savedGeneration
        1640 8 reserved
        1648 4 uncleanShutdown
        1652 396 padding
        """);
  }

  /** "Grain Marker" and "Metadata Marker": the data of a grain begins where the type would be. */
  @Test
  void markersAreThoseOfTheSpecification() {
    assertDescribes(
        Marker.STRUCT,
        """
        0 8 val
        8 4 size
        12 4 type
        16 496 pad
        """);
    assertEquals(Marker.TYPE.offset(), Marker.GRAIN_BYTES);
  }

  /** No specification is public; these are the places where QEMU reads. */
  @Test
  void seSparseHeadersAreWhereQemuReadsThem() {
    assertDescribes(
        SeSparseHeader.STRUCT,
        """
        0 8 magic
        8 8 version
        16 8 capacity
        24 8 grain_size
        32 8 grain_table_size
        40 8 flags
        48 32 reserved
        80 8 volatile_header_offset
        88 8 volatile_header_size
        96 8 journal_header_offset
        104 8 journal_header_size
        112 8 journal_offset
        120 8 journal_size
        128 8 grain_dir_offset
        136 8 grain_dir_size
        144 8 grain_tables_offset
        152 8 grain_tables_size
        160 8 free_bitmap_offset
        168 8 free_bitmap_size
        176 8 backmap_offset
        184 8 backmap_size
        192 8 grains_offset
        200 8 grains_size
        208 304 pad
        """);
    assertDescribes(
        SeSparseHeader.VOLATILE,
        """
        0 8 magic
        8 8 free_gt_number
        16 8 next_txn_seq_number
        24 8 replay_journal
        32 480 pad
        """);
  }

  @Test
  void sparseHeaderIsDecodedAsItWasEncoded() throws IOException {
    SparseHeader header =
        new SparseHeader(
            2, 7, 8192, 128, 1, 20, 512, 21, 26, 128, true, SparseHeader.NEWLINE_BYTES, 0);
    assertEquals(header, SparseHeader.decode(header.encode(), new MemoryFile("image")));
    ByteBuffer bytes = header.encode();
    assertEquals(
        "KDMV", new String(bytes.array(), 0, 4, java.nio.charset.StandardCharsets.US_ASCII));
    assertEquals(
        "\n \r\n", new String(bytes.array(), 73, 4, java.nio.charset.StandardCharsets.US_ASCII));
  }

  @Test
  void cowdHeaderIsDecodedAsItWasEncoded() throws IOException {
    CowdHeader header = new CowdHeader(8192, 1, 4, 2, 5, true);
    assertEquals(header, CowdHeader.read(new MemoryFile("image", header.encode().array())));
  }
}
