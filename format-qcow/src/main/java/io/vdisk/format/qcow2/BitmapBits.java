package io.vdisk.format.qcow2;

import io.vdisk.Extent;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A dirty bitmap in memory: one bit for each {@code 1 << granularityBits} bytes of the disk. Bits
 * are set by many threads at once; all else is done alone.
 */
final class BitmapBits {
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

  private final long virtualSize;
  private final int granularityBits;
  private final long[] words;

  /** A bitmap without a bit set; its size was checked. */
  BitmapBits(long virtualSize, int granularityBits) {
    this.virtualSize = virtualSize;
    this.granularityBits = granularityBits;
    this.words = new long[(int) ((bits() + Long.SIZE - 1) / Long.SIZE)];
  }

  /** Bits of the bitmap. */
  private long bits() {
    long granularity = 1L << granularityBits;
    return (virtualSize >>> granularityBits) + (virtualSize % granularity == 0 ? 0 : 1);
  }

  /** Marks a range of the disk, not empty, as far as the disk reaches. */
  void mark(long offset, long length) {
    long last = Math.min(offset + length - 1, virtualSize - 1) >>> granularityBits;
    for (long bit = offset >>> granularityBits; bit <= last; ) {
      int word = (int) (bit / Long.SIZE);
      long end = Math.min(last + 1, (word + 1L) * Long.SIZE);
      long mask = (-1L >>> (Long.SIZE - (end - bit))) << bit;
      if (((long) WORDS.getOpaque(words, word) & mask) != mask) {
        long unused = (long) WORDS.getAndBitwiseOr(words, word, mask);
      }
      bit = end;
    }
  }

  /** The marked ranges, ascending. */
  List<Extent> ranges() {
    List<Extent> ranges = new ArrayList<>();
    long bits = bits();
    for (long from = next(0, true); from < bits; ) {
      long to = next(from, false);
      long offset = from << granularityBits;
      ranges.add(Extent.data(offset, Math.min(virtualSize, to << granularityBits) - offset));
      from = next(to, true);
    }
    return ranges;
  }

  /** The first bit from one on that is set, or is not; behind the last if there is none. */
  private long next(long bit, boolean set) {
    long bits = bits();
    long at = bit;
    while (at < bits) {
      long word = words[(int) (at / Long.SIZE)];
      long rest = (set ? word : ~word) >>> at;
      if (rest != 0) {
        return Math.min(bits, at + Long.numberOfTrailingZeros(rest));
      }
      at = (at / Long.SIZE + 1) * Long.SIZE;
    }
    return bits;
  }

  /**
   * The bits of one cluster of the bitmap's data.
   *
   * @param target filled from position to limit, with zeroes behind the last bit
   * @return 0 or -1 if all bits that the bitmap has there are 0 or 1, else 1
   */
  int get(int cluster, ByteBuffer target) {
    int perCluster = target.remaining() / Long.BYTES;
    int first = cluster * perCluster;
    boolean none = true;
    boolean all = true;
    target.order(ByteOrder.LITTLE_ENDIAN);
    for (int i = first; i < first + perCluster; i++) {
      long word = i < words.length ? words[i] : 0;
      long whole = wordMask(i);
      none &= word == 0;
      all &= word == whole;
      target.putLong(word);
    }
    return none ? 0 : all ? -1 : 1;
  }

  /** Takes the bits of one cluster over. */
  void put(int cluster, ByteBuffer source) {
    int perCluster = source.remaining() / Long.BYTES;
    source.order(ByteOrder.LITTLE_ENDIAN);
    int first = cluster * perCluster;
    for (int i = first; i < Math.min(words.length, first + perCluster); i++) {
      words[i] = source.getLong() & wordMask(i);
    }
  }

  /** Sets all bits of one cluster. */
  void fill(int cluster, int clusterSize) {
    int perCluster = clusterSize / Long.BYTES;
    int first = cluster * perCluster;
    for (int i = first; i < Math.min(words.length, first + perCluster); i++) {
      words[i] = wordMask(i);
    }
  }

  /** The bits that the bitmap has in a word. */
  private long wordMask(int i) {
    long left = bits() - (long) i * Long.SIZE;
    return left >= Long.SIZE ? -1 : left <= 0 ? 0 : (1L << left) - 1;
  }
}
