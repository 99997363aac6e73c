package io.vdisk.format.vhd;

import io.vdisk.Limits;
import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.WriteBack;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is in memory of a dynamic or differencing disk: structures, tables, space, batmap.
 * Thread-safe. Read anew after somebody was alone on the disk.
 */
final class SparseMetadata {
  final HostFile file;
  final TableCache cache;
  final Quarantine quarantine = new Quarantine();
  final WriteBack<WriteStage> writeBack;
  private final Limits limits;
  private final Footers.Reading reading;
  private final boolean writable;
  private volatile State state;
  private volatile boolean stale;

  /** What belongs together; space and batmap only where the disk is written. */
  private record State(
      Structures structures,
      BlockTables tables,
      @Nullable BlockSpace space,
      @Nullable Batmap batmap) {}

  SparseMetadata(
      Structures structures,
      Footers.Reading reading,
      boolean writable,
      Limits limits,
      CacheBudget budget)
      throws IOException {
    this.file = structures.file();
    this.reading = reading;
    this.writable = writable;
    this.limits = limits;
    this.cache = new TableCache(budget);
    this.writeBack =
        new WriteBack<>(WriteStage.class, WriteStage.EXPOSE, cache, quarantine, List.of(file));
    this.state = read(structures);
  }

  private State read(Structures structures) throws IOException {
    long limit = structures.footers().endOffset();
    BlockSpace space = null;
    Batmap batmap = null;
    if (writable) {
      UsedSpace used = UsedSpace.read(structures, limit);
      space = new BlockSpace(structures, used, file.size());
      batmap = Batmap.read(structures);
      limit = space.limit();
    }
    return new State(structures, new BlockTables(structures, cache, limit), space, batmap);
  }

  Structures structures() {
    return state.structures;
  }

  BlockTables tables() {
    return state.tables;
  }

  /** Where new blocks go; the disk is open for writing. */
  BlockSpace space() {
    return Objects.requireNonNull(state.space);
  }

  /** Xen's batmap; null if there is none. */
  @Nullable Batmap batmap() {
    return state.batmap;
  }

  /**
   * Reads the structures again, and forgets all tables. Where that fails, {@link #refresh} tries
   * again before anything else is done.
   */
  void reload() throws IOException {
    stale = true;
    cache.abandon();
    locked(hold -> quarantine.abandon(writeBack.durableBatch()));
    refresh();
  }

  /** Sees that what is in memory is what is on disk. Called before it is used. */
  void refresh() throws IOException {
    if (stale) {
      readAgain();
    }
  }

  private synchronized void readAgain() throws IOException {
    if (stale) {
      Footers footers = Footers.read(file, reading);
      state = read(Structures.read(file, footers, reading, limits));
      stale = false;
    }
  }

  /** What is done in one hold of the metadata lock, for its effect. */
  @FunctionalInterface
  interface Change {
    void run(TableCache.Hold hold) throws IOException;
  }

  /** Runs a body whose slices are reserved. */
  void locked(Change change) throws IOException {
    boolean unused =
        cache.<Boolean>locked(
            hold -> {
              change.run(hold);
              return true;
            });
  }

  /** Runs a body that dirties at most so many slices. */
  void changing(int slices, Change change) throws IOException {
    writeBack.reserve(slices);
    try {
      locked(change);
    } finally {
      writeBack.release(slices);
    }
  }
}
