package io.vdisk.format.vmdk;

import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Mapping;
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
  private final TablePlaces places;
  private final GrainTables tables;

  /** From the first change on. */
  private volatile @Nullable GrainPlacing placing;

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
    this.places = new TablePlaces(geometry, shared.cache(), geometry.file().size());
    this.tables = new GrainTables(geometry, shared.cache(), places, whyReadOnly.isEmpty());
  }

  GrainGeometry geometry() {
    return geometry;
  }

  /** Whether somebody else died writing it. */
  boolean isUnclean() {
    return mark.isSet() && placing == null;
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
    if (placing == null) {
      begin();
    }
  }

  private void begin() throws IOException {
    if (whyReadOnly.isPresent()) {
      throw new UnsupportedImageException(geometry.file().name() + ": " + whyReadOnly.get());
    }
    marking.lock();
    try {
      if (placing == null) {
        GrainSpace space = GrainSpace.of(geometry);
        if (mark.isSet()) {
          new TableCopies(geometry).makeEqual();
        }
        mark.set();
        placing = new GrainPlacing(shared, geometry, places, tables, freeSector, space);
      }
    } finally {
      marking.unlock();
    }
  }

  private GrainPlacing placing() {
    return Objects.requireNonNull(placing);
  }

  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    beforeWrite();
    return placing().allocate(offset, length);
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
    int slices = placing().slices();
    shared.writeBack().reserve(slices);
    try {
      long grain = offset / grainSize;
      if (shared.hasBacking()) {
        placing().makeTable(grain);
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
      placing().give(place, bytes, zeroed);
    }
  }

  @Override
  public void finish() throws IOException {
    mark.clear();
  }

  /** Until the file has told its size, no entry is taken to point past its end. */
  @Override
  public void forget() {
    placing = null;
    places.growTo(GrainGeometry.MAX_FILE);
  }

  @Override
  public void reload() throws IOException {
    places.growTo(geometry.file().size());
  }
}
