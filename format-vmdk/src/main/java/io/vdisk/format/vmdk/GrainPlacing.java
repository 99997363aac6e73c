package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.metadata.TableCache.Hold;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Gives new grains of one file their places, and grain tables that do not exist yet. Called by many
 * threads; who takes space has reserved {@link #slices} of the write-back.
 */
final class GrainPlacing {
  private final ExtentTables shared;
  private final GrainGeometry geometry;
  private final long grainSize;
  private final TablePlaces places;
  private final GrainTables tables;
  private final @Nullable FreeSector freeSector;
  private final GrainSpace space;

  /**
   * A placing.
   *
   * @param freeSector of a COWD file
   * @param space what of the file is free
   */
  GrainPlacing(
      ExtentTables shared,
      GrainGeometry geometry,
      TablePlaces places,
      GrainTables tables,
      @Nullable FreeSector freeSector,
      GrainSpace space)
      throws IOException {
    this.shared = shared;
    this.geometry = geometry;
    this.grainSize = geometry.grainSize();
    this.places = places;
    this.tables = tables;
    this.freeSector = freeSector;
    this.space = space;
    grow();
  }

  HostFile file() {
    return geometry.file();
  }

  /** Grains and tables may lie where the file ends, and where it will. */
  private void grow() throws IOException {
    places.growTo(Math.max(geometry.file().size(), space.limit()));
  }

  /** Slices that change at most when grains of one slice get places. */
  int slices() {
    return places.slicesOfEntries() + places.slicesOfNewTable() + 1;
  }

  /** Space for grains from the one around {@code offset} on, for a part of the length at least. */
  Allocation allocate(long offset, long length) throws IOException {
    int slices = slices();
    shared.writeBack().reserve(slices);
    boolean done = false;
    try {
      Allocation taken = take(offset, length, slices);
      done = true;
      return taken;
    } finally {
      if (!done) {
        shared.writeBack().release(slices);
      }
    }
  }

  private Allocation take(long offset, long length, int slices) throws IOException {
    long grain = offset / grainSize;
    long head = offset - grain * grainSize;
    space.growing.lock();
    try {
      makeTableAlone(grain);
      GrainSpace.Place place =
          shared.cache().locked(hold -> takeGrains(hold, grain, head + length));
      long end = Math.min(grain * grainSize + place.bytes(), geometry.capacity());
      long provided = Math.min(length, end - offset);
      long tail = end - offset - provided;
      GrainAllocation allocation =
          new GrainAllocation(this, grain, place, head, provided, tail, slices);
      if (!allocation.isWhole()) {
        boolean grown = false;
        try {
          space.grow(place);
          grown = true;
        } finally {
          if (!grown) {
            give(place);
          }
        }
      }
      grow();
      return allocation;
    } finally {
      space.growing.unlock();
    }
  }

  /** All that is to be placed; as many grains as have no place yet and follow each other. */
  private GrainSpace.Place takeGrains(Hold hold, long grain, long bytes) throws IOException {
    long wanted = (bytes + grainSize - 1) / grainSize;
    int count = tables.countWithout(hold, grain, wanted);
    assert count > 0 : "grain " + grain + " is writable in place";
    if (freeSector != null) {
      freeSector.look(hold);
    }
    GrainSpace.Place place = space.take(count * grainSize);
    if (freeSector != null) {
      freeSector.raise(hold, place.offset() + place.bytes());
    }
    return place;
  }

  /** Sees that the table of a grain exists. */
  void makeTable(long grain) throws IOException {
    space.growing.lock();
    try {
      makeTableAlone(grain);
    } finally {
      space.growing.unlock();
    }
  }

  /** Holding the space's lock. */
  private void makeTableAlone(long grain) throws IOException {
    if (shared.cache().locked(hold -> tables.hasTable(hold, grain))) {
      return;
    }
    long each = (geometry.tableBytes() + grainSize - 1) & -grainSize;
    int copies = geometry.isRedundant() ? 2 : 1;
    GrainSpace.Place place = shared.cache().locked(hold -> space.takeWhole(copies * each));
    boolean made = false;
    try {
      space.grow(place);
      grow();
      shared.locked(
          hold -> {
            if (freeSector != null) {
              freeSector.look(hold);
            }
            places.makeTable(hold, grain, place.offset(), place.offset() + place.bytes() - each);
            if (freeSector != null) {
              freeSector.raise(hold, place.offset() + place.bytes());
            }
          });
      made = true;
    } finally {
      if (!made) {
        give(place);
      }
    }
  }

  /** Makes grains visible. */
  void commit(long grain, GrainSpace.Place place, int slices) throws IOException {
    int count = (int) (place.bytes() / grainSize);
    shared.locked(hold -> tables.name(hold, grain, count, place.offset()));
    shared.writeBack().release(slices);
  }

  /** Gives back what was not used. */
  void abort(GrainSpace.Place place, int slices) {
    try {
      give(place);
    } finally {
      shared.writeBack().release(slices);
    }
  }

  private void give(GrainSpace.Place place) {
    try {
      give(place.offset(), place.bytes(), false);
    } catch (IOException e) {
      throw new AssertionError("no slice was asked for", e);
    }
  }

  /** Space that nothing names is offered again; {@code zeroed}: it reads as zero. */
  void give(long offset, long bytes, boolean zeroed) throws IOException {
    shared.locked(hold -> space.give(offset, bytes, zeroed));
  }
}
