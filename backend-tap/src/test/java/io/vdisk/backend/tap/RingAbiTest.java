package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The numbers of the tables in Xen's blkif.h and ring.h, written down apart from those of the code.
 */
class RingAbiTest {
  @ParameterizedTest
  @CsvSource({"X86_32, 108, 4, 12, 20, 20, 24", "X86_64, 112, 8, 16, 24, 24, 28"})
  void fieldsLieWhereTheHeadersOfXenSay(
      RingAbi abi, int size, int id, int sector, int segments, int discarded, int pages) {
    assertEquals(size, abi.entrySize());
    assertEquals(id, abi.id());
    assertEquals(sector, abi.sector());
    assertEquals(segments, abi.segments());
    assertEquals(discarded, abi.discardedSectors());
    assertEquals(pages, abi.indirectPages());
  }

  @ParameterizedTest
  @CsvSource({"1, 32", "2, 64", "4, 128", "8, 256", "16, 512"})
  void entriesAreAPowerOfTwoAndTheSameInBothLayouts(int pages, int entries) {
    assertEquals(entries, RingAbi.X86_32.entryCount(4096 * pages));
    assertEquals(entries, RingAbi.X86_64.entryCount(4096 * pages));
  }

  @Test
  void hostHasTheLayoutOfItsOwnPointers() {
    boolean is32 = System.getProperty("os.arch").matches("x86|i386");

    assertEquals(is32 ? RingAbi.X86_32 : RingAbi.X86_64, RingAbi.ofHost());
  }
}
