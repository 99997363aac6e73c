package io.vdisk.format.vhdx;

import io.vdisk.file.HostFile;
import io.vdisk.spi.NoSpaceException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which mebibytes of the file are in use: a bit for each. Nothing on disk counts them, so the block
 * allocation table is read through before the first change; what a power cut left unnamed is free
 * then. Under the metadata lock.
 */
final class BlockSpace {
  private static final int CHUNK_BITS = 19; // 512 GiB

  /** Mebibytes of the largest block: a run that holds a unit begins so near before it. */
  private static final long MOST_UNITS = DiskParameters.MAX_BLOCK >>> 20;

  private static final int WORDS = (1 << CHUNK_BITS) / Long.SIZE;

  private final HostFile file;

  /** Chunks of bits, 1: in use; null: free. */
  private final List<long @Nullable []> chunks = new ArrayList<>();

  /** Where the space in use ends, in mebibytes. */
  private long end;

  /** From here on nothing was ever written, in mebibytes. */
  private long untouched;

  /** Free mebibytes before {@link #end}. */
  private long free;

  /** Before here no run of {@link #cursorRun} or more is free. */
  private long cursor;

  private long cursorRun;

  /** Mebibytes that fit: a device cannot grow. */
  private final long capacity;

  /**
   * A place for blocks.
   *
   * @param offset first byte
   * @param fresh whether it reads as zero: it was never written
   */
  record Place(long offset, boolean fresh) {}

  /** All that the ranges do not have is free. */
  BlockSpace(HostFile file, FileRanges ranges) throws IOException {
    this.file = file;
    long size = file.size();
    boolean isDevice = file.capacity() <= size;
    this.capacity = isDevice ? size >>> 20 : FileRanges.MAX_FILE >>> 20;
    this.untouched = isDevice ? Long.MAX_VALUE : (size + FileRanges.MIB - 1) >>> 20;
    for (FileRanges.Range range : ranges.all()) {
      boolean unused = use(range.offset(), range.length());
    }
  }

  /** Notes that a range is in use; false if some of it was already. */
  boolean use(long offset, long length) {
    boolean isNew = true;
    long from = offset >>> 20;
    long to = (offset + length) >>> 20;
    if (to > end) {
      free += to - end;
      end = to;
    }
    for (long unit = from; unit < to; unit++) {
      isNew &= set(unit);
    }
    return isNew;
  }

  /** Takes so many bytes: the first that are free, otherwise at the end. */
  Place take(long bytes) throws IOException {
    long units = bytes >>> 20;
    long found = free >= units ? find(units) : -1;
    if (found < 0) {
      found = end;
      if (found + units > capacity) {
        throw new NoSpaceException(
            file.name() + " has no room for " + bytes + " bytes more, and cannot grow");
      }
    }
    boolean fresh = found >= untouched;
    boolean isNew = use(found << 20, bytes);
    assert isNew : found;
    if (untouched != Long.MAX_VALUE) {
      untouched = Math.max(untouched, found + units);
    }
    return new Place(found << 20, fresh);
  }

  /** The first run of free units before the end; negative if there is none. */
  private long find(long units) {
    if (units < cursorRun) {
      cursor = 0;
    }
    long run = 0;
    for (long unit = cursor; unit < end; unit++) {
      if (isUsed(unit)) {
        run = 0;
        if (unit % Long.SIZE == 0 && word(unit) == -1L) {
          unit += Long.SIZE - 1;
        }
      } else if (++run == units) {
        cursor = unit + 1 - units;
        cursorRun = units;
        return cursor;
      }
    }
    // The run that touches the end is looked at again when the end moves.
    cursor = end - run;
    cursorRun = units;
    return -1;
  }

  /** This range is free. */
  void give(long offset, long length) {
    for (long unit = offset >>> 20; unit < (offset + length) >>> 20; unit++) {
      clear(unit);
    }
    cursor = Math.max(0, Math.min(cursor, (offset >>> 20) - MOST_UNITS));
  }

  /** Whether blocks can lie there. */
  boolean isInside(long offset, long length) {
    return offset >= FileRanges.HEADER_SECTION && offset <= end() - length;
  }

  /** Where the space in use ends, bytes. */
  long end() {
    return end << 20;
  }

  private boolean isUsed(long unit) {
    return (word(unit) >>> unit & 1) != 0;
  }

  private long word(long unit) {
    int chunk = (int) (unit >>> CHUNK_BITS);
    long[] bits = chunk < chunks.size() ? chunks.get(chunk) : null;
    return bits == null ? 0 : bits[index(unit)];
  }

  private static int index(long unit) {
    return (int) (unit & ((1L << CHUNK_BITS) - 1)) / Long.SIZE;
  }

  private boolean set(long unit) {
    int chunk = (int) (unit >>> CHUNK_BITS);
    while (chunks.size() <= chunk) {
      chunks.add(null);
    }
    long[] bits = chunks.get(chunk);
    if (bits == null) {
      bits = new long[WORDS];
      chunks.set(chunk, bits);
    }
    boolean isNew = !isUsed(unit);
    if (isNew) {
      bits[index(unit)] |= 1L << unit;
      free--;
    }
    return isNew;
  }

  private void clear(long unit) {
    if (isUsed(unit)) {
      long[] bits = chunks.get((int) (unit >>> CHUNK_BITS));
      if (bits != null) {
        bits[index(unit)] &= ~(1L << unit);
        free++;
      }
    }
  }
}
