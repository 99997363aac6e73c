package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Moves the last grains of a file into gaps before them, so that lost space comes to the end, where
 * it can be given back. The tables must be without errors, their copies equal, and the file marked
 * as being written. One thread, alone.
 *
 * <p>At every instant an entry names a place that holds the grain: that is durable in its new place
 * before an entry names it there, and its old place is not written before no entry names it.
 */
final class GrainCompaction {
  private static final int SECTOR = SparseHeader.SECTOR;

  /** Up to so much of a file a sector is told from the next. */
  private static final long LARGE = 512L << 30;

  /** Grains that are moved between two flushes. */
  private static final int STEP = 1024;

  private final GrainGeometry geometry;
  private final HostFile file;
  private final long grainSize;
  private final SpaceBits used;

  /** Where a grain lies, and the entries that say so; 0: there is no copy. */
  private record Named(long place, long entryOffset, long copyOffset) {}

  GrainCompaction(GrainGeometry geometry) throws IOException {
    this.geometry = geometry;
    this.file = geometry.file();
    this.grainSize = geometry.grainSize();
    this.used = new SpaceBits(file.size() + grainSize, file.size() <= LARGE ? SECTOR : 8L * SECTOR);
  }

  /** Moves what can be moved; durable on return. */
  void run() throws IOException {
    markUsed();
    while (true) {
      List<Long> gaps = gaps();
      if (gaps.isEmpty() || move(gaps, lastGrains(gaps.size())) < STEP) {
        return;
      }
    }
  }

  private void markUsed() throws IOException {
    used.mark(0, geometry.headerEnd());
    used.mark(geometry.directory(), geometry.directoryBytes());
    TableWalk walk = new TableWalk(geometry);
    TableWalk.Visitor visitor =
        new TableWalk.Visitor() {
          @Override
          public boolean table(long table, long place) {
            used.mark(place, geometry.tableBytes());
            return true;
          }

          @Override
          public void entry(long grain, long entry) {
            if (isPlace(entry)) {
              used.mark(entry * SECTOR, grainSize);
            }
          }
        };
    walk.walk(geometry.directory(), visitor);
    if (geometry.isRedundant()) {
      used.mark(geometry.redundant(), geometry.directoryBytes());
      walk.walk(geometry.redundant(), visitor);
    }
  }

  private boolean isPlace(long entry) {
    return entry != GrainTables.ZEROED || !geometry.hasZeroed();
  }

  /** The first gaps that a grain fits in, at multiples of its size. */
  private List<Long> gaps() throws IOException {
    List<Long> gaps = new ArrayList<>();
    used.forEachGap(
        0,
        file.size() & -8L * SECTOR,
        (offset, bytes) -> {
          long at = (offset + grainSize - 1) & -grainSize;
          for (; at + grainSize <= offset + bytes && gaps.size() < STEP; at += grainSize) {
            gaps.add(at);
          }
        });
    return gaps;
  }

  /** The grains that lie last, the highest first. */
  private List<Named> lastGrains(int most) throws IOException {
    PriorityQueue<Named> last = new PriorityQueue<>(Comparator.comparingLong(Named::place));
    new TableWalk(geometry)
        .walk(
            geometry.directory(),
            new TableWalk.Visitor() {
              private long tablePlace;
              private long copyPlace;

              @Override
              public boolean table(long table, long place) throws IOException {
                tablePlace = place;
                copyPlace = geometry.isRedundant() ? copyOf(table) : 0;
                return true;
              }

              @Override
              public void entry(long grain, long entry) {
                if (isPlace(entry)) {
                  long within = grain % geometry.tableEntries() * Integer.BYTES;
                  long copy = copyPlace == 0 ? 0 : copyPlace + within;
                  last.add(new Named(entry * SECTOR, tablePlace + within, copy));
                }
                if (last.size() > most) {
                  last.remove();
                }
              }
            });
    List<Named> grains = new ArrayList<>(last);
    grains.sort(Comparator.comparingLong(Named::place).reversed());
    return grains;
  }

  private long copyOf(long table) throws IOException {
    ByteBuffer name = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    file.readFully(name, geometry.redundant() + table * Integer.BYTES);
    return Integer.toUnsignedLong(name.getInt(0)) * SECTOR;
  }

  /** Moves the last grain to the first gap, and so on while that is before it; how many. */
  private int move(List<Long> gaps, List<Named> grains) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect((int) grainSize);
    int count = 0;
    while (count < grains.size() && gaps.get(count) < grains.get(count).place()) {
      file.readPadded(bytes.clear(), grains.get(count).place());
      file.write(bytes.flip(), gaps.get(count));
      count++;
    }
    file.flush();
    for (int i = 0; i < count; i++) {
      name(grains.get(i), gaps.get(i));
    }
    file.flush();
    return count;
  }

  private void name(Named grain, long place) throws IOException {
    ByteBuffer entry = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    entry.putInt(0, (int) (place / SECTOR));
    file.write(entry.duplicate(), grain.entryOffset());
    if (grain.copyOffset() != 0) {
      file.write(entry, grain.copyOffset());
    }
    used.mark(place, grainSize);
    used.free(grain.place(), grainSize);
  }
}
