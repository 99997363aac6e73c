package io.vdisk.backend.tap;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A request of a guest, in a copy that the guest cannot change. One object carries many requests,
 * one after the other: a ring has millions, and they are served where they were read.
 *
 * <p>One thread at a time. Nothing of it may be believed before {@link #hasAllowedCount} and {@link
 * #isWithin} were asked.
 */
final class TapRequest {
  /** Bytes of a sector, whatever the disk's own are: a number of the protocol. */
  static final int SECTOR_SIZE = 512;

  /** Bytes of a page of a guest, which a segment does not leave. */
  static final int PAGE_SIZE = 4096;

  /** Segments of a request that holds them itself. */
  static final int MOST_DIRECT_SEGMENTS = 11;

  /** Segments of an indirect request: what Linux' own back end offers, 1 MiB. */
  static final int MOST_SEGMENTS = 256;

  private static final int SECTORS_OF_PAGE = PAGE_SIZE / SECTOR_SIZE;
  private static final int SEGMENT_SIZE = 8;

  private final RingAbi abi;
  private final ByteBuffer copy;

  private int place;
  private int code;
  private int segmentCount;
  private long segmentSectors; // of the segments that have been read
  private int[] pages = new int[MOST_DIRECT_SEGMENTS];
  private byte[] first = new byte[MOST_DIRECT_SEGMENTS];
  private byte[] last = new byte[MOST_DIRECT_SEGMENTS];

  TapRequest(RingAbi abi) {
    this.abi = abi;
    this.copy = ByteBuffer.allocate(abi.entrySize()).order(ByteOrder.nativeOrder());
  }

  /** Takes the next request of a ring. */
  void take(SharedRing ring) {
    ring.take(this, copy);
    code = copy.get(0) & 0xff;
    segmentCount = 0;
    segmentSectors = 0;
    if (code == TapOperation.INDIRECT.code()) {
      segmentCount = copy.getShort(abi.indirectSegmentCount()) & 0xffff;
    } else if (code != TapOperation.DISCARD.code()) {
      segmentCount = copy.get(abi.segmentCount()) & 0xff;
      for (int i = 0; i < Math.min(segmentCount, MOST_DIRECT_SEGMENTS); i++) {
        segment(i, copy, abi.segments() + i * SEGMENT_SIZE);
      }
    }
  }

  private void segment(int i, ByteBuffer from, int at) {
    pages[i] = from.getInt(at);
    first[i] = from.get(at + 4);
    last[i] = from.get(at + 5);
    segmentSectors += sectorsOf(i);
  }

  /** Where it stands in a ring that keeps it there. */
  int place() {
    return place;
  }

  void setPlace(int place) {
    this.place = place;
  }

  /** What the guest called it; to be echoed. */
  long id() {
    return copy.getLong(abi.id());
  }

  /** The operation as the guest wrote it. */
  int code() {
    return code;
  }

  /**
   * The operation that a response tells: that of the request, as the guest wrote it, or for an
   * indirect one that which is inside. Linux' front end gives the disk up at another one ({@code
   * blkif_interrupt} in xen-blkfront.c).
   */
  int echoedCode() {
    return isIndirect() ? copy.get(abi.indirectOperation()) & 0xff : code;
  }

  /** True if the operation is one of ours. The other methods are for those only. */
  boolean isKnown() {
    return TapOperation.isKnown(code);
  }

  /** What is to be done: for an indirect request, the read or the write that it asks for. */
  TapOperation operation() {
    TapOperation operation = TapOperation.of(code);
    if (operation == TapOperation.INDIRECT) {
      int inner = copy.get(abi.indirectOperation()) & 0xff;
      return inner == TapOperation.READ.code() || inner == TapOperation.WRITE.code()
          ? TapOperation.of(inner)
          : TapOperation.INDIRECT;
    }
    return operation;
  }

  /** True if the segments lie in pages of their own. */
  boolean isIndirect() {
    return code == TapOperation.INDIRECT.code();
  }

  /** The first sector. */
  long sector() {
    return copy.getLong(abi.sector());
  }

  /** Sectors of all segments, or those of a discard. */
  long sectorCount() {
    if (code == TapOperation.DISCARD.code()) {
      return copy.getLong(abi.discardedSectors());
    }
    return segmentSectors;
  }

  int segmentCount() {
    return segmentCount;
  }

  /** The page of a segment, as the guest names it. */
  int page(int segment) {
    return pages[segment];
  }

  /** Where in its page a segment begins, in bytes. */
  int offsetOf(int segment) {
    return first[segment] * SECTOR_SIZE;
  }

  /** Bytes of a segment. */
  int lengthOf(int segment) {
    return sectorsOf(segment) * SECTOR_SIZE;
  }

  private int sectorsOf(int segment) {
    return last[segment] - first[segment] + 1;
  }

  /** Pages that hold the segments of an indirect request. */
  int indirectPageCount() {
    return (segmentCount * SEGMENT_SIZE + PAGE_SIZE - 1) / PAGE_SIZE;
  }

  /** The page, as the guest names it, with the 512 segments from {@code 512 * i} on. */
  int indirectPage(int i) {
    return copy.getInt(abi.indirectPages() + 4 * i);
  }

  /** Reads the segments of the {@code i}-th page out of a copy of it. */
  void readSegments(int i, ByteBuffer page) {
    int from = i * (PAGE_SIZE / SEGMENT_SIZE);
    int to = Math.min(segmentCount, from + PAGE_SIZE / SEGMENT_SIZE);
    if (pages.length < to) {
      pages = Arrays.copyOf(pages, MOST_SEGMENTS);
      first = Arrays.copyOf(first, MOST_SEGMENTS);
      last = Arrays.copyOf(last, MOST_SEGMENTS);
    }
    for (int segment = from; segment < to; segment++) {
      segment(segment, page, (segment - from) * SEGMENT_SIZE);
    }
  }

  /**
   * True if there are as many segments as such a request may have. To be asked before they are
   * read.
   */
  boolean hasAllowedCount() {
    if (isIndirect()) {
      return segmentCount >= 1 && segmentCount <= MOST_SEGMENTS;
    }
    return switch (TapOperation.of(code)) {
      case READ, WRITE -> segmentCount >= 1 && segmentCount <= MOST_DIRECT_SEGMENTS;
      case WRITE_BARRIER, FLUSH -> segmentCount <= MOST_DIRECT_SEGMENTS;
      default -> segmentCount == 0;
    };
  }

  /**
   * True if each segment lies in its page, and all lie on the disk. For requests with an allowed
   * count, whose segments have been read.
   */
  boolean isWithin(long diskSize) {
    for (int i = 0; i < segmentCount; i++) {
      if (first[i] < 0 || first[i] > last[i] || last[i] >= SECTORS_OF_PAGE) {
        return false;
      }
    }
    long sectors = diskSize / SECTOR_SIZE;
    long count = sectorCount();
    long sector = sector();
    boolean hasNoRange = segmentCount == 0 && code != TapOperation.DISCARD.code();
    return hasNoRange
        || (count >= 0 && sector >= 0 && sector <= sectors && count <= sectors - sector);
  }
}
