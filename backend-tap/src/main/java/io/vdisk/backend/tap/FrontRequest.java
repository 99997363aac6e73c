package io.vdisk.backend.tap;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A request as a front end writes it ({@link RingAbi} tells where what lies). One thread. */
public final class FrontRequest {
  private static final int SEGMENT_SIZE = 8;

  private final RingAbi abi;
  private final byte[] bytes;
  private final ByteBuffer entry;

  FrontRequest(RingAbi abi) {
    this.abi = abi;
    this.bytes = new byte[abi.entrySize()];
    this.entry = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  void clear() {
    Arrays.fill(bytes, (byte) 0);
  }

  /** The bytes of the entry, with this id. */
  byte[] copy(int id) {
    entry.putLong(abi.id(), id);
    return bytes.clone();
  }

  /** An operation of blkif: 0 read, 1 write, 2 write barrier, 3 flush, with its first sector. */
  public FrontRequest operation(int code, long sector) {
    entry.put(0, (byte) code);
    entry.putLong(abi.sector(), sector);
    return this;
  }

  /** A further segment: sectors {@code first} to {@code last}, 0 to 7, of a page of data. */
  public FrontRequest segment(int page, int first, int last) {
    int number = entry.get(abi.segmentCount()) & 0xff;
    segment(entry, abi.segments() + number * SEGMENT_SIZE, page, first, last);
    entry.put(abi.segmentCount(), (byte) (number + 1));
    return this;
  }

  /** Writes a segment into a page of segments, for an indirect request. */
  public static void segment(ByteBuffer target, int at, int page, int first, int last) {
    target.putInt(at, page);
    target.put(at + 4, (byte) first);
    target.put(at + 5, (byte) last);
  }

  /** So many sectors from {@code sector} on have no content of use any longer. */
  public FrontRequest discard(long sector, long sectors) {
    operation(TapOperation.DISCARD.code(), sector);
    entry.putLong(abi.discardedSectors(), sectors);
    return this;
  }

  /** A read (0) or a write (1) of so many segments, which are written in these pages of data. */
  public FrontRequest indirect(int code, long sector, int segments, int... pages) {
    operation(TapOperation.INDIRECT.code(), sector);
    entry.put(abi.indirectOperation(), (byte) code);
    entry.putShort(abi.indirectSegmentCount(), (short) segments);
    for (int i = 0; i < pages.length; i++) {
      entry.putInt(abi.indirectPages() + 4 * i, pages[i]);
    }
    return this;
  }

  /** Writes a byte of the entry, whatever it means. */
  public FrontRequest raw(int at, int value) {
    entry.put(at, (byte) value);
    return this;
  }
}
