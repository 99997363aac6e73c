package io.vdisk.testkit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What is known of the sectors that threads race for, numbered from 0 on. A sector is written by
 * its owner only, each time with the next counter in all its words. Thread-safe.
 *
 * <p>A value is a counter, 0 for what the sector held at first, or {@link #ZEROED}. No value is
 * seen that is older than one whose write, or whose zeroing, returned before the reading began.
 */
final class RaceSectors {
  /** The value of a sector that was zeroed or discarded. */
  static final long ZEROED = -1;

  private static final long MARK = 0x5L << 60;

  private final long[] sectors;
  private final byte[][] first;
  private final AtomicLongArray begun;
  private final AtomicLongArray written;

  /** The last counter whose end is sure, because a zeroing began after it and returned. */
  private final AtomicLongArray dead;

  /** How many zeroings and discards of a sector have begun, and ended. */
  private final AtomicLongArray zeroingsBegun;

  private final AtomicLongArray zeroingsEnded;

  /** For the last write of a sector, the zeroings that had begun when it began; -1 if some ran. */
  private final AtomicLongArray zeroingsBefore;

  RaceSectors(long[] sectors, SectorModel.Untouched untouched) throws IOException {
    this.sectors = sectors.clone();
    this.first = new byte[sectors.length][];
    for (int i = 0; i < sectors.length; i++) {
      first[i] = untouched.sector(sectors[i]);
    }
    this.begun = new AtomicLongArray(sectors.length);
    this.written = new AtomicLongArray(sectors.length);
    this.dead = new AtomicLongArray(sectors.length);
    this.zeroingsBegun = new AtomicLongArray(sectors.length);
    this.zeroingsEnded = new AtomicLongArray(sectors.length);
    this.zeroingsBefore = new AtomicLongArray(sectors.length);
    for (int i = 0; i < sectors.length; i++) {
      dead.set(i, -1);
    }
  }

  int count() {
    return sectors.length;
  }

  long sector(int i) {
    return sectors[i];
  }

  /** The bytes of the owner's next write. */
  byte[] beginWrite(int i) {
    long ended = zeroingsEnded.get(i);
    zeroingsBefore.set(i, zeroingsBegun.get(i) == ended ? ended : -1);
    ByteBuffer bytes = ByteBuffer.allocate(SectorModel.SECTOR);
    long word = MARK | (sectors[i] << 32) | begun.incrementAndGet(i);
    while (bytes.hasRemaining()) {
      bytes.putLong(word);
    }
    return bytes.array();
  }

  void endWrite(int i) {
    written.set(i, begun.get(i));
  }

  /** The counters that a zeroing is sure to end. */
  long[] beginZeroing(int from, int to) {
    long[] ended = new long[to - from];
    for (int i = from; i < to; i++) {
      ended[i - from] = written.get(i);
      zeroingsBegun.incrementAndGet(i);
    }
    return ended;
  }

  /**
   * A zeroing returned.
   *
   * @param sure whether it zeroed all, and did not merely perhaps
   */
  void endZeroing(int from, long[] ended, boolean sure) {
    for (int i = 0; i < ended.length; i++) {
      long counter = ended[i];
      if (sure) {
        dead.accumulateAndGet(from + i, counter, Math::max);
      }
      zeroingsEnded.incrementAndGet(from + i);
    }
  }

  /** The least counter that a reading which begins now may see, if it sees one. */
  long least(int i) {
    return Math.max(dead.get(i) + 1, written.get(i));
  }

  /**
   * The value that was read.
   *
   * @param least what {@link #least} said before
   */
  long value(int i, byte[] found, long least) {
    long word = ByteBuffer.wrap(found).getLong(0);
    boolean zero = word == 0 && Arrays.equals(found, new byte[found.length]);
    if (zero && zeroingsBegun.get(i) > 0) {
      return ZEROED;
    }
    long value = Arrays.equals(found, first[i]) ? 0 : counter(i, found, word);
    if (value < least) {
      throw new AssertionError(name(i) + " is back at " + value + ", must be at least " + least);
    }
    if (value > begun.get(i)) {
      throw new AssertionError(name(i) + " holds " + value + ", which was never written");
    }
    return value;
  }

  private long counter(int i, byte[] found, long word) {
    ByteBuffer words = ByteBuffer.wrap(found);
    while (words.hasRemaining()) {
      int at = words.position();
      long here = words.getLong();
      if (here >>> 32 != (MARK | (sectors[i] << 32)) >>> 32 || here != word) {
        throw new AssertionError(
            name(i) + " holds foreign data at byte " + at + ": " + Long.toHexString(here));
      }
    }
    return word & 0xFFFF_FFFFL;
  }

  /** Nothing is under way: what was written after all zeroings must be there. */
  void checkFinal(int i, byte[] found) {
    long value = value(i, found, least(i));
    boolean writtenLast = zeroingsBefore.get(i) == zeroingsBegun.get(i);
    if (writtenLast && value != written.get(i)) {
      throw new AssertionError(name(i) + " lost " + written.get(i) + ", holds " + value);
    }
  }

  private String name(int i) {
    return "sector " + sectors[i] + " (offset " + sectors[i] * SectorModel.SECTOR + ")";
  }
}
