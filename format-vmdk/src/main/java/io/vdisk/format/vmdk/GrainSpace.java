package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.NoSpaceException;
import io.vdisk.spi.metadata.SpaceMap;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Where new grains of one file go: into gaps, then to the end. Space is taken and given back under
 * the metadata lock; whoever takes it holds {@link #growing} around that, and around making the
 * file longer, or an older, shorter length could cut off what was written behind it.
 */
final class GrainSpace {
  /** What gaps are looked for in: smaller ones are not worth a bit of memory each. */
  private static final long LEAST_CELL = 64 << 10;

  private final HostFile file;
  private final long grainSize;
  private final boolean isFixedSize;
  private final long room;

  /** Held while space is taken. Before the metadata lock, and not with it. */
  final ReentrantLock growing = new ReentrantLock();

  /** Gaps that read as zero. */
  private final SpaceMap clean = new SpaceMap();

  /** Gaps that hold anything. */
  private final SpaceMap dirty = new SpaceMap();

  /** Behind all that is used; a multiple of the grain. */
  private long end;

  /** Space from here on was never handed out, and reads as zero. */
  private long untouched;

  private GrainSpace(GrainGeometry geometry, long usedEnd, long fileSize) throws IOException {
    this.file = geometry.file();
    this.grainSize = geometry.grainSize();
    this.isFixedSize = fileSize >= file.capacity();
    this.room = Math.min(file.capacity(), GrainGeometry.MAX_FILE);
    this.end = (Math.max(usedEnd, isFixedSize ? 0 : fileSize) + grainSize - 1) & -grainSize;
    this.untouched = isFixedSize ? Long.MAX_VALUE : end;
  }

  /**
   * Reads all tables to see what of a file is used.
   *
   * @throws CorruptImageException if an entry names what cannot be there: space that is used again
   *     could become its
   */
  static GrainSpace of(GrainGeometry geometry) throws IOException {
    HostFile file = geometry.file();
    long size = file.size();
    long cell = Math.max(LEAST_CELL, geometry.grainSize());
    Used used = new Used(geometry, size, cell);
    used.mark(0, geometry.headerEnd());
    used.mark(geometry.directory(), geometry.directoryBytes());
    TableWalk walk = new TableWalk(geometry);
    walk.walk(geometry.directory(), used);
    if (geometry.isRedundant()) {
      used.mark(geometry.redundant(), geometry.directoryBytes());
      walk.walk(geometry.redundant(), used);
    }
    GrainSpace space = new GrainSpace(geometry, used.end, size);
    used.cells.forEachGap(0, used.end / cell * cell, space.dirty::add);
    return space;
  }

  /** What the tables name. */
  private static final class Used implements TableWalk.Visitor {
    private final GrainGeometry geometry;
    private final long size;
    private final SpaceBits cells;
    private long end;

    Used(GrainGeometry geometry, long size, long cell) {
      this.geometry = geometry;
      this.size = size;
      this.cells = new SpaceBits(size + geometry.grainSize(), cell);
    }

    void mark(long offset, long length) {
      cells.mark(offset, length);
      end = Math.max(end, offset + length);
    }

    @Override
    public boolean table(long table, long place) throws IOException {
      check(place, geometry.tableBytes(), size - geometry.tableBytes(), "grain table", table);
      mark(place, geometry.tableBytes());
      return true;
    }

    @Override
    public void entry(long grain, long entry) throws IOException {
      if (entry != GrainTables.ZEROED || !geometry.hasZeroed()) {
        long place = entry * SparseHeader.SECTOR;
        check(place, geometry.grainSize(), size - 1, "grain", grain);
        mark(place, geometry.grainSize());
      }
    }

    private void check(long place, long bytes, long last, String what, long number)
        throws CorruptImageException {
      if (place > last || !geometry.isFree(place, bytes)) {
        throw new CorruptImageException(
            String.format(
                "%s: %s %d is said to be at %d, where it cannot be; it is not written to before"
                    + " that is repaired",
                geometry.file().name(), what, number, place));
      }
    }
  }

  /**
   * A place for grains that follow each other.
   *
   * @param bytes a multiple of the grain
   * @param zeroed whether all of it reads as zero
   * @param isAtEnd whether the file ends before it
   */
  record Place(long offset, long bytes, boolean zeroed, boolean isAtEnd) {}

  /** Takes room for one grain or more, up to so many bytes; under the metadata lock. */
  Place take(long most) throws IOException {
    Place gap = takeGap(clean, most, true);
    if (gap == null) {
      gap = takeGap(dirty, most, false);
    }
    if (gap != null) {
      return gap;
    }
    long bytes = Math.min(most, (room - end) & -grainSize);
    if (bytes <= 0) {
      throw new NoSpaceException(
          file.name() + " is full: no grain can lie beyond " + room + " bytes");
    }
    return takeEnd(bytes);
  }

  private Place takeEnd(long bytes) {
    long start = end;
    end = start + bytes;
    boolean zeroed = start >= untouched;
    untouched = Math.max(untouched, end);
    return new Place(start, bytes, zeroed, !isFixedSize);
  }

  /** Takes room for all of so many bytes, a multiple of the grain; under the metadata lock. */
  Place takeWhole(long bytes) throws IOException {
    SpaceMap.Run run = clean.take(bytes, bytes);
    boolean isClean = run != null;
    if (run == null) {
      run = dirty.take(bytes, bytes);
    }
    if (run != null) {
      return new Place(run.offset(), bytes, isClean, false);
    }
    if (room - end < bytes) {
      throw new NoSpaceException(
          file.name() + " is full: no table can lie beyond " + room + " bytes");
    }
    return takeEnd(bytes);
  }

  private @Nullable Place takeGap(SpaceMap gaps, long most, boolean zeroed) {
    SpaceMap.Run run = gaps.take(grainSize, most);
    if (run == null) {
      return null;
    }
    long rest = run.length() & (grainSize - 1);
    if (rest > 0) {
      gaps.add(run.offset() + run.length() - rest, rest);
    }
    return new Place(run.offset(), run.length() - rest, zeroed, false);
  }

  /** Sees that the file has all of a place. Holding {@link #growing} since it was taken. */
  void grow(Place place) throws IOException {
    if (place.isAtEnd()) {
      file.resize(place.offset() + place.bytes());
    }
  }

  /** Gives space back that nothing names; under the metadata lock. */
  void give(long offset, long bytes, boolean zeroed) {
    (zeroed ? clean : dirty).add(offset, bytes);
  }

  /** Up to where grains may begin. */
  long limit() {
    return end;
  }
}
