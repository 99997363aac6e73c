package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Grain directory and grain tables of one file, with their redundant copies. Thread-safe. It keeps:
 *
 * <ol>
 *   <li>What an entry names begins inside the file, and beside header and directories; an entry
 *       that says otherwise is not followed.
 *   <li>Both copies change in the same hold, and are written in the same stage. Readers look at the
 *       first alone.
 * </ol>
 */
final class GrainTables {
  private static final int DIRECTORY_SLICE = TableKind.MAX_SLICE / Integer.BYTES;
  private static final int SECTOR = SparseHeader.SECTOR;

  /** The entry of a grain of zeroes. */
  static final long ZEROED = 1;

  private final HostFile file;
  private final GrainGeometry geometry;
  private final TableCache cache;
  private final int grainBits;
  private final long grainMask;
  private final long grainSectors;
  private final boolean hasZeroed;
  private final boolean isCompressed;
  private final boolean isWritable;
  private final int sliceBytes;
  private final int sliceBits;
  private final int sliceMask;
  private final int slicesPerTable;
  private final TableKind directory;
  private final TableKind tables;
  private final @Nullable TableKind redundantDirectory;
  private final @Nullable TableKind redundantTables;

  /** Where the space ends that tables and grains may begin in. */
  private volatile long limit;

  /**
   * Tables.
   *
   * @param limit bytes of the file
   * @param isWritable whether stored grains may be overwritten
   */
  GrainTables(GrainGeometry geometry, TableCache cache, long limit, boolean isWritable) {
    this.file = geometry.file();
    this.geometry = geometry;
    this.cache = cache;
    this.limit = limit;
    this.isWritable = isWritable;
    this.grainBits = Long.numberOfTrailingZeros(geometry.grainSize());
    this.grainMask = geometry.grainSize() - 1;
    this.grainSectors = geometry.grainSectors();
    this.hasZeroed = geometry.hasZeroed();
    this.isCompressed = geometry.isCompressed();
    this.sliceBytes = Math.min(TableKind.MAX_SLICE, geometry.tableBytes());
    this.sliceBits = Integer.numberOfTrailingZeros(sliceBytes / Integer.BYTES);
    this.sliceMask = (1 << sliceBits) - 1;
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

  GrainGeometry geometry() {
    return geometry;
  }

  TableCache cache() {
    return cache;
  }

  /** Grains and tables may begin up to there: the file has grown. */
  void growTo(long newLimit) {
    limit = newLimit;
  }

  /** Slices that change when grains of one slice get their places: both copies. */
  int slicesOfEntries() {
    return redundantTables == null ? 1 : 2;
  }

  /** Slices that change when a grain table is made: all of its own, and the directory's. */
  int slicesOfNewTable() {
    return slicesOfEntries() * (slicesPerTable + 1);
  }

  /** The longest run that one slice in memory shows. */
  Mapping map(long offset, long length) throws IOException {
    long grain = offset >>> grainBits;
    Slice entries = cache.load(tables, grain >>> sliceBits);
    if (entries == null) {
      return Mapping.backing(Math.min(length, absentEnd(grain, offset + length) - offset));
    }
    int first = (int) grain & sliceMask;
    long touched = ((offset + length - 1) >>> grainBits) - grain + 1;
    int most = (int) Math.min(sliceMask + 1 - first, touched);
    long entry = entries.u32(first);
    if (entry == 0 || (entry == ZEROED && hasZeroed)) {
      int same = 1;
      while (same < most && entries.u32(first + same) == entry) {
        same++;
      }
      long run = Math.min(length, ((grain + same) << grainBits) - offset);
      return entry == 0 ? Mapping.backing(run) : Mapping.zero(run);
    }
    long within = offset & grainMask;
    if (isCompressed) {
      long place = place(grain, entry, 1, Marker.GRAIN_BYTES);
      long run = Math.min(length, grainMask + 1 - within);
      return Mapping.encoded(file, place, GrainCodec.mostBytes(geometry.grainSize()), run);
    }
    int count = 1;
    long next = entry + grainSectors;
    while (count < most && entries.u32(first + count) == next) {
      count++;
      next += grainSectors;
    }
    long place = place(grain, entry, count, geometry.grainSize());
    long run = Math.min(length, ((long) count << grainBits) - within);
    return Mapping.stored(file, place + within, run, isWritable);
  }

  /** Where a run of grains begins; all of them begin in the file, the last may be cut off. */
  private long place(long grain, long entry, int count, long bytes) throws IOException {
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

  /** Where the run of grains ends whose tables do not exist; a guest offset. */
  private long absentEnd(long grain, long end) throws IOException {
    long table = grain / geometry.tableEntries();
    long span = geometry.tableSpan();
    Slice names = Objects.requireNonNull(cache.load(directory, table / DIRECTORY_SLICE));
    int at = (int) (table % DIRECTORY_SLICE);
    do {
      table++;
      at++;
    } while (at < names.length() * 2 && table * span < end && names.u32(at) == 0);
    return table * span;
  }

  /** What a compressed grain of this number is named by; 0 if it is not. */
  long entry(long grain) throws IOException {
    Slice entries = cache.load(tables, grain >>> sliceBits);
    return entries == null ? 0 : entries.u32((int) grain & sliceMask);
  }

  /** Whether the table of a grain exists. */
  boolean hasTable(Hold hold, long grain) throws IOException {
    return hold.slice(tables, grain >>> sliceBits) != null;
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

  /** How many grains from one on, in the same slice, at most {@code most}, have no place. */
  int countWithout(Hold hold, long grain, long most) throws IOException {
    Slice entries = Objects.requireNonNull(hold.slice(tables, grain >>> sliceBits));
    copy(hold, grain);
    int first = (int) grain & sliceMask;
    int end = (int) Math.min(sliceMask + 1, first + most);
    int count = 0;
    while (first + count < end && !isStored(entries.u32(first + count))) {
      count++;
    }
    return count;
  }

  private boolean isStored(long entry) {
    return entry != 0 && !(entry == ZEROED && hasZeroed);
  }

  private @Nullable Slice copy(Hold hold, long grain) throws IOException {
    return redundantTables == null ? null : hold.slice(redundantTables, grain >>> sliceBits);
  }

  /** Gives grains, all in one slice, places that follow each other. */
  void name(Hold hold, long grain, int count, long place) throws IOException {
    Slice entries = Objects.requireNonNull(hold.slice(tables, grain >>> sliceBits));
    @Nullable Slice copies = copy(hold, grain);
    int first = (int) grain & sliceMask;
    for (int i = 0; i < count; i++) {
      long sector = place / SECTOR + i * grainSectors;
      set(hold, entries, copies, first + i, sector);
    }
  }

  private static void set(Hold hold, Slice entries, @Nullable Slice copies, int at, long entry) {
    hold.setU32(entries, at, entry);
    if (copies != null) {
      hold.setU32(copies, at, entry);
    }
  }

  /** Told of the places that grains had; a run of the file. */
  @FunctionalInterface
  interface Freed {
    void run(long place, long bytes);
  }

  /**
   * Takes their places from grains of one slice.
   *
   * @param entry what they are from now on: 0, or {@link #ZEROED}
   * @return how many grains that were
   */
  int forget(Hold hold, long grain, long most, long entry, Freed freed) throws IOException {
    Slice entries = Objects.requireNonNull(hold.slice(tables, grain >>> sliceBits));
    @Nullable Slice copies = copy(hold, grain);
    int first = (int) grain & sliceMask;
    int end = (int) Math.min(sliceMask + 1, first + most);
    long start = 0;
    long bytes = 0;
    for (int at = first; at < end; at++) {
      long old = entries.u32(at);
      if (old == entry) {
        continue;
      }
      if (isStored(old)) {
        long place = place(grain + (at - first), old, 1, geometry.grainSize());
        if (place != start + bytes) {
          end(freed, start, bytes);
          start = place;
          bytes = 0;
        }
        bytes += geometry.grainSize();
      }
      set(hold, entries, copies, at, entry);
    }
    end(freed, start, bytes);
    return end - first;
  }

  private static void end(Freed freed, long start, long bytes) {
    if (bytes > 0) {
      freed.run(start, bytes);
    }
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
