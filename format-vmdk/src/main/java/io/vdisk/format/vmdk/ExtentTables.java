package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.WriteBack;
import java.io.IOException;
import java.util.List;

/**
 * What the tables of all extents of an image share: one cache, one order on disk, and the space
 * that waits.
 *
 * @param hasBacking whether what no extent holds may be seen below
 */
record ExtentTables(
    TableCache cache, WriteBack<WriteStage> writeBack, Quarantine quarantine, boolean hasBacking) {
  /** A file is less than 2 TiB long: above that is room for the number of the extent. */
  private static final int NUMBER_SHIFT = 44;

  /**
   * Of an image.
   *
   * @param files every file that guest data is written to; may still be added to
   */
  static ExtentTables of(CacheBudget budget, List<HostFile> files, boolean hasBacking) {
    TableCache cache = new TableCache(budget);
    Quarantine quarantine = new Quarantine();
    WriteBack<WriteStage> writeBack =
        new WriteBack<>(WriteStage.class, WriteStage.EXPOSE, cache, quarantine, files);
    return new ExtentTables(cache, writeBack, quarantine, hasBacking);
  }

  /** What is done in one hold. */
  @FunctionalInterface
  interface Body {
    void run(TableCache.Hold hold) throws IOException;
  }

  /** Runs a body under the metadata lock, as {@link TableCache#locked}. */
  void locked(Body body) throws IOException {
    boolean unused =
        cache.locked(
            hold -> {
              body.run(hold);
              return true;
            });
  }

  /** This space of an extent is to be offered again once nobody can see it. */
  void free(int extent, long place, long bytes) {
    quarantine.add((long) extent << NUMBER_SHIFT | place, bytes);
  }

  /** The extent that freed space was of. */
  static int extentOf(Quarantine.Entry entry) {
    return (int) (entry.fileOffset() >>> NUMBER_SHIFT);
  }

  /** Where in its file it lies. */
  static long placeOf(Quarantine.Entry entry) {
    return entry.fileOffset() & ((1L << NUMBER_SHIFT) - 1);
  }
}
