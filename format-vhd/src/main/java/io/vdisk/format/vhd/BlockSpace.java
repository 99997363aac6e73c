package io.vdisk.format.vhd;

import io.vdisk.file.HostFile;
import io.vdisk.spi.NoSpaceException;
import io.vdisk.spi.metadata.SpaceMap;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where new blocks go: into gaps, then to the end of the file, before the footer. Data of new
 * blocks begins at multiples of 4 KiB, as Xen has it.
 *
 * <p>The footer moves when the file grows: it stands at the new end before any byte of the guest's
 * is written before it, so that a process may be killed at any time and no guest bytes ever lie
 * where a reader looks for a footer. Where the file cannot grow, on a block device, the footer
 * stays at the end of that.
 *
 * <p>Space is taken and given back under the metadata lock; whoever makes the file grow holds
 * {@link #growing} around that and the write of the footer, or a later footer could be overwritten
 * by an earlier one's block.
 */
final class BlockSpace {
  private static final int DATA_ALIGNMENT = 4096;

  private final HostFile file;
  private final HardDiskFooter footer;
  private final int bitmapBytes;
  private final long stride;
  private final boolean isFixedSize;
  private final long room;

  /** Held while the file grows. Before the metadata lock, and not with it. */
  final ReentrantLock growing = new ReentrantLock();

  /** Gaps that read as zero. */
  private final SpaceMap clean = new SpaceMap();

  /** Gaps that hold anything. */
  private final SpaceMap dirty = new SpaceMap();

  /** Behind the last block. */
  private long end;

  /** From here on the file reads as zero, but for the footer that stands there. */
  private long untouched;

  /** Whether there may be free space before the footer, or none; under the metadata lock. */
  private boolean hasTail;

  /** Whether the file ended without a footer when it was opened. */
  private final boolean isFooterMissing;

  /** Where the footer stands that was written last; under {@link #growing}. */
  private long footerOffset;

  /**
   * Space.
   *
   * @param used what blocks and metadata take
   * @param fileSize bytes of the file now
   */
  BlockSpace(Structures structures, UsedSpace used, long fileSize) throws IOException {
    this.file = structures.file();
    this.footer = structures.footer().sealed();
    this.bitmapBytes = (int) structures.bitmapBytes();
    this.stride = structures.stride();
    long capacity = file.capacity();
    this.isFixedSize = fileSize >= capacity;
    this.room = isFixedSize ? capacity - HardDiskFooter.BYTES : Long.MAX_VALUE - (1L << 40);
    this.footerOffset = structures.footers().endOffset();
    this.end =
        isFixedSize
            ? used.end()
            : Structures.roundUp(Math.max(used.end(), footerOffset), Structures.SECTOR);
    this.untouched = isFixedSize ? Long.MAX_VALUE : end;
    used.forEachGap(stride, dirty::add);
    long gap = isFixedSize ? 0 : footerOffset - used.end();
    isFooterMissing = structures.footers().end().isEmpty();
    hasTail = gap > 0 || (isFooterMissing && !isFixedSize);
    if (gap >= stride) {
      dirty.add(used.end(), gap);
    }
  }

  /**
   * A place for a block with its bitmap.
   *
   * @param offset where the bitmap begins
   * @param zeroed whether all of it reads as zero
   */
  record Place(long offset, boolean zeroed) {}

  /** Takes a place; under the metadata lock. */
  Place take() throws IOException {
    SpaceMap.Run run = clean.take(stride, stride);
    if (run != null) {
      return new Place(run.offset(), true);
    }
    run = dirty.take(stride, stride);
    if (run != null) {
      return new Place(run.offset(), false);
    }
    long data = Structures.roundUp(end + bitmapBytes, DATA_ALIGNMENT);
    long start = data - bitmapBytes;
    long last = start + stride;
    if (last > room) {
      throw new NoSpaceException(
          file.name() + " is full: it cannot grow beyond " + file.capacity() + " bytes");
    }
    if (start / Structures.SECTOR >= Structures.UNUSED) {
      throw new NoSpaceException(file.name() + " is full: VHD has no name for a block at " + start);
    }
    end = last;
    boolean zeroed = start >= untouched;
    untouched = Math.max(untouched, last);
    return new Place(start, zeroed);
  }

  /** Sees that the footer stands behind a place that was taken. Holding {@link #growing}. */
  void moveFooter(Place place) throws IOException {
    long behind = place.offset() + stride;
    if (!isFixedSize && behind > footerOffset) {
      file.write(footer.bytes(), behind);
      footerOffset = behind;
    }
  }

  /** Gives a place back that nothing names; under the metadata lock. */
  void give(long offset, boolean zeroed) {
    (zeroed ? clean : dirty).add(offset, stride);
    hasTail = !isFixedSize;
  }

  /**
   * Lets the file end behind its last block: QEMU puts its next one there, and takes what lies
   * there for zeroes. Alone, when everything is durable; no place is taken afterwards.
   *
   * @param usedEnd where the last block and the last metadata end
   */
  void cutTail(long usedEnd) throws IOException {
    long last = Structures.roundUp(usedEnd, Structures.SECTOR);
    if (last < footerOffset || isFooterMissing) {
      file.write(footer.bytes(), last);
      file.flush();
      file.resize(last + HardDiskFooter.BYTES);
      footerOffset = last;
    }
  }

  /** Whether there may be free space before the footer, or no footer. */
  boolean hasTail() {
    return hasTail;
  }

  /** Up to where blocks may lie. */
  long limit() {
    return isFixedSize ? room : Math.max(end, footerOffset);
  }
}
