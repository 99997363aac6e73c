package io.vdisk.format.vhdx;

import io.vdisk.spi.metadata.Slice;

/** Bits of a slice of a sector bitmap: bit 0 of byte 0 is the first sector. */
final class SectorBits {
  private SectorBits() {}

  static boolean isSet(Slice slice, int bit) {
    return (slice.word(bit / Long.SIZE) >>> bit & 1) != 0;
  }

  /**
   * The first bit behind {@code first} that is not {@code value}, which that of {@code first} was:
   * it may have been set since, and the run that was seen ends behind it then. Where the slice ends
   * at most.
   */
  static int endOfRun(Slice slice, int first, boolean value) {
    int bits = slice.length() * Long.SIZE;
    int bit = first;
    while (bit < bits) {
      long word = slice.word(bit / Long.SIZE);
      long others = (value ? ~word : word) >>> bit;
      if (others != 0) {
        int end = Math.min(bits, bit + Long.numberOfTrailingZeros(others));
        return Math.max(end, first + 1);
      }
      bit = (bit / Long.SIZE + 1) * Long.SIZE;
    }
    return bits;
  }

  /**
   * The bits of a word that belong to a range.
   *
   * @param word which one
   * @param from first bit of the range
   * @param to the bit behind its last
   */
  static long mask(long word, long from, long to) {
    long start = Math.max(from, word * Long.SIZE) - word * Long.SIZE;
    long end = Math.min(to, (word + 1) * Long.SIZE) - word * Long.SIZE;
    if (start >= end) {
      return 0;
    }
    return (end == Long.SIZE ? -1L : (1L << end) - 1) & (-1L << start);
  }
}
