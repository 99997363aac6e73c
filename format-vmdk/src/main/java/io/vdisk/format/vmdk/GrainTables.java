package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one file's grain tables and of their redundant copies. Thread-safe. Both copies
 * change in the same hold, and are written in the same stage; readers look at the first alone.
 */
final class GrainTables {
  private static final int SECTOR = SparseHeader.SECTOR;

  /** The entry of a grain of zeroes. */
  static final long ZEROED = 1;

  private final HostFile file;
  private final GrainGeometry geometry;
  private final TableCache cache;
  private final TablePlaces places;
  private final int grainBits;
  private final long grainMask;
  private final long grainSectors;
  private final boolean hasZeroed;
  private final boolean isCompressed;
  private final boolean isWritable;
  private final int sliceBits;
  private final int sliceMask;

  /**
   * Tables.
   *
   * @param places where they lie
   * @param isWritable whether stored grains may be overwritten
   */
  GrainTables(GrainGeometry geometry, TableCache cache, TablePlaces places, boolean isWritable) {
    this.file = geometry.file();
    this.geometry = geometry;
    this.cache = cache;
    this.places = places;
    this.isWritable = isWritable;
    this.grainBits = Long.numberOfTrailingZeros(geometry.grainSize());
    this.grainMask = geometry.grainSize() - 1;
    this.grainSectors = geometry.grainSectors();
    this.hasZeroed = geometry.hasZeroed();
    this.isCompressed = geometry.isCompressed();
    this.sliceBits = places.sliceBits();
    this.sliceMask = (1 << sliceBits) - 1;
  }

  /** The longest run that one slice in memory shows. */
  Mapping map(long offset, long length) throws IOException {
    long grain = offset >>> grainBits;
    Slice entries = cache.load(places.tables, grain >>> sliceBits);
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
      long place = places.grain(grain, entry, 1, Marker.GRAIN_BYTES);
      long run = Math.min(length, grainMask + 1 - within);
      return Mapping.encoded(file, place, GrainCodec.mostBytes(geometry.grainSize()), run);
    }
    int count = 1;
    long next = entry + grainSectors;
    while (count < most && entries.u32(first + count) == next) {
      count++;
      next += grainSectors;
    }
    long place = places.grain(grain, entry, count, geometry.grainSize());
    long run = Math.min(length, ((long) count << grainBits) - within);
    return Mapping.stored(file, place + within, run, isWritable);
  }

  /** Where the run of grains ends whose tables do not exist; a guest offset. */
  private long absentEnd(long grain, long end) throws IOException {
    long table = grain / geometry.tableEntries();
    long span = geometry.tableSpan();
    Slice names =
        Objects.requireNonNull(cache.load(places.directory, table / TablePlaces.DIRECTORY_SLICE));
    int at = (int) (table % TablePlaces.DIRECTORY_SLICE);
    do {
      table++;
      at++;
    } while (at < names.length() * 2 && table * span < end && names.u32(at) == 0);
    return table * span;
  }

  /** What a compressed grain of this number is named by; 0 if it is not. */
  long entry(long grain) throws IOException {
    Slice entries = cache.load(places.tables, grain >>> sliceBits);
    return entries == null ? 0 : entries.u32((int) grain & sliceMask);
  }

  /** Whether the table of a grain exists. */
  boolean hasTable(Hold hold, long grain) throws IOException {
    return hold.slice(places.tables, grain >>> sliceBits) != null;
  }

  /** How many grains from one on, in the same slice, at most {@code most}, have no place. */
  int countWithout(Hold hold, long grain, long most) throws IOException {
    Slice entries = Objects.requireNonNull(hold.slice(places.tables, grain >>> sliceBits));
    places.copy(hold, grain >>> sliceBits);
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

  /** Gives grains, all in one slice, places that follow each other. */
  void name(Hold hold, long grain, int count, long place) throws IOException {
    Slice entries = Objects.requireNonNull(hold.slice(places.tables, grain >>> sliceBits));
    @Nullable Slice copies = places.copy(hold, grain >>> sliceBits);
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
    Slice entries = Objects.requireNonNull(hold.slice(places.tables, grain >>> sliceBits));
    @Nullable Slice copies = places.copy(hold, grain >>> sliceBits);
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
        long place = places.grain(grain + (at - first), old, 1, geometry.grainSize());
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
}
