package io.vdisk.format.vmdk;

import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.TableCache;
import java.io.IOException;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** An extent in grains: a hosted sparse extent, or a COWD file. */
final class SparseExtent implements VmdkExtent {
  private final ExtentTables shared;
  private final int number;
  private final GrainGeometry geometry;
  private final long grainSize;
  private final UncleanMark mark;
  private final @Nullable FreeSector freeSector;
  private final Optional<String> whyReadOnly;
  private final ReentrantLock marking = new ReentrantLock();
  private volatile GrainTables tables;

  /** Known from the first change on. */
  private volatile @Nullable GrainSpace space;

  /**
   * An extent.
   *
   * @param number of the extent, from 0 on
   * @param mark its mark of an unclean end
   * @param freeSector of a COWD file
   * @param whyReadOnly a sentence; empty if it can be written
   */
  SparseExtent(
      ExtentTables shared,
      int number,
      GrainGeometry geometry,
      UncleanMark mark,
      @Nullable FreeSector freeSector,
      Optional<String> whyReadOnly)
      throws IOException {
    this.shared = shared;
    this.number = number;
    this.geometry = geometry;
    this.grainSize = geometry.grainSize();
    this.mark = mark;
    this.freeSector = freeSector;
    this.whyReadOnly = whyReadOnly;
    this.tables =
        new GrainTables(geometry, shared.cache(), geometry.file().size(), whyReadOnly.isEmpty());
  }

  GrainGeometry geometry() {
    return geometry;
  }

  /** Whether somebody else died writing it. */
  boolean isUnclean() {
    return mark.isSet() && space == null;
  }

  /** Whether it may be changed. */
  boolean isWritable() {
    return whyReadOnly.isEmpty();
  }

  /** Its tables are about to be changed past it: the file is marked, durably. */
  void unsettle() throws IOException {
    mark.set();
  }

  /** Every change is written, and all is in order: it need not be marked any more. */
  void settle() throws IOException {
    mark.set();
    mark.clear();
  }

  @Override
  public long size() {
    return geometry.capacity();
  }

  @Override
  public long unit() {
    return grainSize;
  }

  @Override
  public Optional<HostFile> file() {
    return Optional.of(geometry.file());
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    return tables.map(offset, length);
  }

  /** Looks through the tables, and marks the file, at the first change. */
  @Override
  public void beforeWrite() throws IOException {
    if (space == null) {
      begin();
    }
  }

  private void begin() throws IOException {
    if (whyReadOnly.isPresent()) {
      throw new UnsupportedImageException(geometry.file().name() + ": " + whyReadOnly.get());
    }
    marking.lock();
    try {
      if (space == null) {
        GrainSpace found = GrainSpace.of(geometry);
        if (mark.isSet()) {
          new TableCopies(geometry).makeEqual();
        }
        mark.set();
        tables.growTo(Math.max(geometry.file().size(), found.limit()));
        space = found;
      }
    } finally {
      marking.unlock();
    }
  }

  private GrainSpace space() {
    return Objects.requireNonNull(space);
  }

  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    beforeWrite();
    int slices = tables.slicesOfEntries() + tables.slicesOfNewTable() + 1;
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
    GrainSpace space = space();
    long grain = offset / grainSize;
    long head = offset - grain * grainSize;
    space.growing.lock();
    try {
      makeTable(grain, space);
      GrainSpace.Place place =
          shared.cache().locked(hold -> takeGrains(hold, grain, head + length, space));
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
      tables.growTo(Math.max(geometry.file().size(), space.limit()));
      return allocation;
    } finally {
      space.growing.unlock();
    }
  }

  /** All that is to be placed; as many grains as have no place yet and follow each other. */
  private GrainSpace.Place takeGrains(
      TableCache.Hold hold, long grain, long bytes, GrainSpace space) throws IOException {
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

  /** Holding the space's lock. */
  private void makeTable(long grain, GrainSpace space) throws IOException {
    if (shared.cache().locked(hold -> tables.hasTable(hold, grain))) {
      return;
    }
    long each = (geometry.tableBytes() + grainSize - 1) & -grainSize;
    int copies = geometry.isRedundant() ? 2 : 1;
    GrainSpace.Place place = shared.cache().locked(hold -> space.takeWhole(copies * each));
    boolean made = false;
    try {
      space.grow(place);
      tables.growTo(Math.max(geometry.file().size(), space.limit()));
      shared.locked(
          hold -> {
            if (freeSector != null) {
              freeSector.look(hold);
            }
            tables.makeTable(hold, grain, place.offset(), place.offset() + place.bytes() - each);
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
      shared.locked(hold -> space().give(place.offset(), place.bytes(), false));
    } catch (IOException e) {
      throw new AssertionError("no slice was asked for", e);
    }
  }

  /**
   * Whole grains are zero by their entry, where the extent has such, or lose their places where
   * nothing lies below. Others are zeroed where they lie, if the host can.
   */
  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    beforeWrite();
    Mapping run = tables.map(offset, length);
    long bytes = Math.min(run.length(), length);
    boolean isZero =
        run.kind() == Mapping.Kind.ZERO
            || (run.kind() == Mapping.Kind.BACKING && !shared.hasBacking());
    if (isZero) {
      return bytes;
    }
    boolean isTold = geometry.hasZeroed() || !shared.hasBacking();
    boolean isStored = run.kind() == Mapping.Kind.STORED;
    long grains = wholeGrains(offset, bytes);
    if (isTold && grains > 0 && !(isStored && keepSpace)) {
      return forget(offset, grains);
    }
    return isStored && geometry.file().zero(run.fileOffset(), bytes, keepSpace) ? bytes : 0;
  }

  /** How many grains lie whole in a range that begins at one. */
  private long wholeGrains(long offset, long length) {
    if (offset % grainSize != 0) {
      return 0;
    }
    return offset + length >= geometry.capacity()
        ? (length + grainSize - 1) / grainSize
        : length / grainSize;
  }

  private long forget(long offset, long grains) throws IOException {
    int slices = tables.slicesOfEntries() + tables.slicesOfNewTable() + 1;
    shared.writeBack().reserve(slices);
    try {
      long grain = offset / grainSize;
      if (shared.hasBacking()) {
        GrainSpace space = space();
        space.growing.lock();
        try {
          makeTable(grain, space);
        } finally {
          space.growing.unlock();
        }
      }
      long entry = shared.hasBacking() ? GrainTables.ZEROED : 0;
      int count =
          shared
              .cache()
              .locked(
                  hold ->
                      tables.forget(
                          hold,
                          grain,
                          grains,
                          entry,
                          (place, bytes) -> shared.free(number, place, bytes)));
      return Math.min(geometry.capacity(), offset + count * grainSize) - offset;
    } finally {
      shared.writeBack().release(slices);
    }
  }

  /** Space that the host can punch reads as zero; other space is written whole when it is used. */
  @Override
  public void recycle(long place, long bytes) throws IOException {
    beforeWrite();
    boolean zeroed = false;
    try {
      zeroed = geometry.file().zero(place, bytes, false);
    } finally {
      boolean clean = zeroed;
      shared.locked(hold -> space().give(place, bytes, clean));
    }
  }

  @Override
  public void finish() throws IOException {
    mark.clear();
  }

  /** Until the file has told its size, no entry is taken to point past its end. */
  @Override
  public void forget() {
    space = null;
    tables.growTo(GrainGeometry.MAX_FILE);
  }

  @Override
  public void reload() throws IOException {
    tables.growTo(geometry.file().size());
  }
}
