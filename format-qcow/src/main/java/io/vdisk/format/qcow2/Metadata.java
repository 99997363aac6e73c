package io.vdisk.format.qcow2;

import io.vdisk.Limits;
import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.WriteBack;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The tables of an open image, what of them is in memory, and the order in which they are written.
 * What {@link #reload} replaces is read by requests inside their slot of the gate.
 */
final class Metadata {
  final HostFile file;

  /** Where guest clusters lie that are not compressed; the same file as a rule. */
  final HostFile dataFile;

  final TableCache cache;
  final Quarantine quarantine = new Quarantine();
  final WriteBack<WriteStage> writeBack;
  final AppendPoint appendPoint = new AppendPoint();

  private final Limits limits;
  private final boolean writable;
  private final Qcow2Header.Reading reading;

  /** Whether what follows may be of before the last change of the image as a whole. */
  private volatile boolean stale;

  private Qcow2Header header;
  private MetadataMap map;
  private ClusterTables tables;
  private Refcounts refcounts;
  private Entries entries;

  Metadata(
      HostFile file,
      HostFile dataFile,
      Qcow2Header header,
      Limits limits,
      CacheBudget budget,
      boolean writable,
      Qcow2Header.Reading reading)
      throws IOException {
    this.file = file;
    this.dataFile = dataFile;
    this.limits = limits;
    this.writable = writable;
    this.reading = reading;
    this.cache = new TableCache(budget);
    Set<HostFile> files = new LinkedHashSet<>(List.of(file));
    files.add(dataFile);
    this.writeBack =
        new WriteBack<>(WriteStage.class, WriteStage.L2_TABLE, cache, quarantine, files);
    this.header = header;
    this.map = writable ? MetadataMap.of(file, header) : MetadataMap.none();
    this.tables = new ClusterTables(file, header, cache);
    this.refcounts = new Refcounts(file, header, cache, writeBack, quarantine, map);
    this.entries = newEntries();
  }

  private Entries newEntries() {
    // A data file holds no metadata.
    MetadataMap guarded = header.hasDataFile() ? MetadataMap.none() : map;
    return Entries.of(file, dataFile, header, guarded);
  }

  /**
   * Reads the header again, and forgets all tables: somebody was alone on the image. Where that
   * fails, {@link #refresh} tries again before anything else is done.
   */
  void reload() throws IOException {
    stale = true;
    // What a body that failed has changed is not to be written, and what it dropped is in use.
    cache.abandon();
    locked(hold -> quarantine.abandon(writeBack.durableBatch()));
    refresh();
  }

  /** Sees that the tables are those that the header on disk names. Called before they are used. */
  void refresh() throws IOException {
    if (stale) {
      readAgain();
    }
  }

  private synchronized void readAgain() throws IOException {
    if (!stale) {
      return;
    }
    Qcow2Header now = Qcow2Header.read(file, limits, reading);
    MetadataMap newMap = writable ? MetadataMap.of(file, now) : MetadataMap.none();
    Refcounts newRefcounts = new Refcounts(file, now, cache, writeBack, quarantine, newMap);
    header = now;
    map = newMap;
    refcounts = newRefcounts;
    tables = new ClusterTables(file, header, cache);
    entries = newEntries();
    locked(hold -> appendPoint.at = 0);
    stale = false;
  }

  Qcow2Header header() {
    return header;
  }

  MetadataMap map() {
    return map;
  }

  ClusterTables tables() {
    return tables;
  }

  Refcounts refcounts() {
    return refcounts;
  }

  Entries entries() {
    return entries;
  }

  /**
   * Runs a body that takes clusters, and adds refcount blocks as long as it says false. The
   * reservation is the caller's when this returns.
   */
  void taking(int slices, TableCache.Body<Boolean> body) throws IOException {
    while (true) {
      writeBack.reserve(slices);
      boolean done = false;
      try {
        done = cache.locked(body);
        if (done) {
          return;
        }
      } finally {
        if (!done) {
          writeBack.release(slices);
        }
      }
      refcounts.grow();
    }
  }

  /** What is done for its effect. */
  @FunctionalInterface
  interface Body {
    void run() throws IOException;
  }

  /** What is done in one hold of the metadata lock, for its effect. */
  @FunctionalInterface
  interface Change {
    void run(Hold hold) throws IOException;
  }

  /** Runs a body whose slices are reserved already. */
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
