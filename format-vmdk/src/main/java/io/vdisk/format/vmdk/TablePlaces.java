package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where grain directory, grain tables and their redundant copies lie, in slices. What an entry
 * names begins inside the file, and beside header and directories; an entry that says otherwise is
 * not followed. Thread-safe.
 */
final class TablePlaces {
  static final int DIRECTORY_SLICE = TableKind.MAX_SLICE / Integer.BYTES;
  private static final int SECTOR = SparseHeader.SECTOR;

  private final HostFile file;
  private final GrainGeometry geometry;
  private final int sliceBytes;
  private final int sliceBits;
  private final int slicesPerTable;
  final TableKind directory;
  final TableKind tables;
  private final @Nullable TableKind redundantDirectory;
  private final @Nullable TableKind redundantTables;

  /** Where the space ends that tables and grains may begin in. */
  private volatile long limit;

  /**
   * Places.
   *
   * @param limit bytes of the file
   */
  TablePlaces(GrainGeometry geometry, TableCache cache, long limit) {
    this.file = geometry.file();
    this.geometry = geometry;
    this.limit = limit;
    this.sliceBytes = Math.min(TableKind.MAX_SLICE, geometry.tableBytes());
    this.sliceBits = Integer.numberOfTrailingZeros(sliceBytes / Integer.BYTES);
    this.slicesPerTable = geometry.tableBytes() / sliceBytes;
    this.directory = cache.add(new Directory("grain directory", geometry.directory()));
    this.tables = cache.add(new Tables("grain table", directory));
    if (geometry.isRedundant()) {
      TableKind copy = cache.add(new Directory("redundant grain directory", geometry.redundant()));
      this.redundantDirectory = copy;
      this.redundantTables = cache.add(new Tables("redundant grain table", copy));
    } else {
      this.redundantDirectory = null;
      this.redundantTables = null;
    }
  }

  /** Grains and tables may begin up to there: the file has grown. */
  void growTo(long newLimit) {
    limit = newLimit;
  }

  /** How many bits of a grain's number are its place in a slice. */
  int sliceBits() {
    return sliceBits;
  }

  /** Slices that change when grains of one slice get their places: both copies. */
  int slicesOfEntries() {
    return redundantTables == null ? 1 : 2;
  }

  /** Slices that change when a grain table is made: all of its own, and the directory's. */
  int slicesOfNewTable() {
    return slicesOfEntries() * (slicesPerTable + 1);
  }

  /** The copy of a slice of entries; null if there is none. */
  @Nullable Slice copy(Hold hold, long index) throws IOException {
    return redundantTables == null ? null : hold.slice(redundantTables, index);
  }

  /**
   * Where a run of grains begins; all of them begin in the file, the last may be cut off.
   *
   * @param bytes of each
   */
  long grain(long grain, long entry, int count, long bytes) throws CorruptImageException {
    long place = entry * SECTOR;
    long last = place + (count - 1) * bytes;
    if (last >= limit || !geometry.isFree(place, count * bytes)) {
      throw new CorruptImageException(
          String.format(
              "%s: of %d grains from %d on, said to be in the sectors from %d on, not all can be"
                  + " there",
              file.name(), count, grain, entry));
    }
    return place;
  }

  /** Makes the table of a grain; without entries, at these places. Slices are reserved. */
  void makeTable(Hold hold, long grain, long place, long redundantPlace) throws IOException {
    long table = grain / geometry.tableEntries();
    Slice names = namesOf(hold, directory, table);
    Slice copies = redundantDirectory == null ? null : namesOf(hold, redundantDirectory, table);
    boolean hasCopy =
        redundantTables != null && hold.slice(redundantTables, table * slicesPerTable) != null;
    create(hold, tables, table, place, names);
    if (redundantTables != null && copies != null && !hasCopy) {
      create(hold, redundantTables, table, redundantPlace, copies);
    }
  }

  private static Slice namesOf(Hold hold, TableKind kind, long table) throws IOException {
    return Objects.requireNonNull(hold.slice(kind, table / DIRECTORY_SLICE));
  }

  private void create(Hold hold, TableKind kind, long table, long place, Slice names) {
    for (int i = 0; i < slicesPerTable; i++) {
      Slice unused =
          hold.create(kind, table * slicesPerTable + i, place + (long) i * sliceBytes, names);
      assert unused.index() >= 0;
    }
    hold.setU32(names, (int) (table % DIRECTORY_SLICE), place / SECTOR);
  }

  private final class Directory extends TableKind {
    private final long start;

    Directory(String name, long start) {
      super(
          name,
          file,
          ByteOrder.LITTLE_ENDIAN,
          MAX_SLICE,
          geometry.directoryBytes(),
          WriteStage.EXPOSE);
      this.start = start;
    }

    @Override
    protected long position(Hold hold, long index) {
      return start + index * MAX_SLICE;
    }
  }

  private final class Tables extends TableKind {
    private final TableKind names;

    Tables(String name, TableKind names) {
      super(
          name,
          file,
          ByteOrder.LITTLE_ENDIAN,
          sliceBytes,
          geometry.tables() * geometry.tableBytes(),
          WriteStage.EXPOSE,
          WriteStage.NEW_TABLE);
      this.names = names;
    }

    @Override
    protected long position(Hold hold, long index) throws IOException {
      long table = index / slicesPerTable;
      long sector = namesOf(hold, names, table).u32((int) (table % DIRECTORY_SLICE));
      if (sector == 0) {
        return 0;
      }
      long place = sector * SECTOR;
      if (place > limit - geometry.tableBytes() || !geometry.isFree(place, geometry.tableBytes())) {
        throw new CorruptImageException(
            String.format(
                "%s: %s %d is said to be in sector %d, where it cannot be",
                file.name(), name(), table, sector));
      }
      return place + index % slicesPerTable * sliceBytes;
    }
  }
}
