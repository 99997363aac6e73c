package io.vdisk.format.vhd;

import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;

/**
 * Bits of sectors in a piece of a block's bitmap: 1, the sector is in the block; 0, it is the
 * parent's, or zero. The first sector's bit is the highest of the first byte.
 */
final class SectorBitmap {
  private SectorBitmap() {}

  static boolean isSet(Slice bits, int sector) {
    return (bits.word(sector >>> 6) << (sector & 63)) < 0;
  }

  /**
   * The first sector behind {@code first}, and before {@code limit}, whose bit is not {@code
   * value}, which that of {@code first} was: it may have been set since, and the run that was seen
   * ends behind it then.
   */
  static int endOfRun(Slice bits, int first, int limit, boolean value) {
    long flip = value ? -1 : 0;
    for (int sector = first; sector < limit; sector = (sector | 63) + 1) {
      long others = (bits.word(sector >>> 6) ^ flip) << (sector & 63);
      if (others != 0) {
        int end = Math.min(limit, sector + Long.numberOfLeadingZeros(others));
        return Math.max(end, first + 1);
      }
    }
    return limit;
  }

  /** Sets the bits from {@code first} up to {@code end}. */
  static void set(TableCache.Hold hold, Slice bits, int first, int end) {
    for (int sector = first; sector < end; ) {
      int word = sector >>> 6;
      int last = Math.min(end, (word + 1) << 6);
      long mask = (-1L >>> (sector & 63)) & (-1L << (63 - ((last - 1) & 63)));
      hold.set(bits, word, bits.word(word) | mask);
      sector = last;
    }
  }
}
