package io.vdisk.format.vmdk;

import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.concurrent.CancellationException;

/**
 * Follows both copies of the tables of one file. Takes a bit of memory for each sector in use, up
 * to 512 GiB of file; beyond that for each 4 KiB.
 */
final class GrainChecker {
  private static final long LARGE = 512L << 30;

  private final GrainGeometry geometry;
  private final HostFile file;
  private final CheckReport.Builder report;
  private final GrainCount count;
  private final Progress progress;
  private final long size;
  private final SpaceBits used;
  private long usedEnd;
  private long previousEnd = -1;
  private long visits;

  GrainChecker(
      GrainGeometry geometry, CheckReport.Builder report, GrainCount count, Progress progress)
      throws IOException {
    this.geometry = geometry;
    this.file = geometry.file();
    this.report = report;
    this.count = count;
    this.progress = progress;
    this.size = file.size();
    this.used =
        new SpaceBits(
            size + geometry.grainSize(),
            size <= LARGE ? SparseHeader.SECTOR : 8 * SparseHeader.SECTOR);
  }

  void check() throws IOException {
    claim(0, geometry.headerEnd(), "the header");
    claim(geometry.directory(), geometry.directoryBytes(), "the grain directory");
    if (geometry.isRedundant()) {
      claim(geometry.redundant(), geometry.directoryBytes(), "the redundant grain directory");
    }
    TableWalk walk = new TableWalk(geometry);
    claimTables(walk, geometry.directory(), "grain table", Severity.ERROR);
    if (geometry.isRedundant()) {
      claimTables(walk, geometry.redundant(), "redundant grain table", Severity.ERROR);
    }
    walk.walk(geometry.directory(), new Grains());
    if (geometry.isRedundant()) {
      long different = new TableCopies(geometry).countDifferent();
      if (different > 0) {
        report.add(
            Severity.WARNING,
            different,
            file.name() + ": " + different + " grain tables and their copies differ");
      }
    }
    if (!geometry.isCompressed()) {
      checkLeaks();
    }
    count.total += geometry.grains();
    count.endOffset = Math.max(count.endOffset, usedEnd);
  }

  private void claimTables(TableWalk walk, long directory, String what, Severity severity)
      throws IOException {
    walk.walk(
        directory,
        new TableWalk.Visitor() {
          @Override
          public boolean table(long table, long place) {
            report(table);
            int bytes = geometry.tableBytes();
            if (place > size - bytes || !geometry.isFree(place, bytes)) {
              report.add(severity, at(what, table, place) + ", where it cannot be");
            } else if (!claim(place, bytes, what)) {
              report.add(severity, at(what, table, place) + ", which something else has");
            }
            return false;
          }

          @Override
          public void entry(long grain, long entry) {
            throw new AssertionError("no table is entered");
          }
        });
  }

  private boolean claim(long offset, long bytes, String what) {
    assert !what.isEmpty();
    usedEnd = Math.max(usedEnd, Math.min(size, offset + bytes));
    return used.claim(offset, (bytes + SparseHeader.SECTOR - 1) & -SparseHeader.SECTOR);
  }

  private String at(String what, long number, long place) {
    return String.format("%s: %s %d is said to be at %d", file.name(), what, number, place);
  }

  private void report(long table) {
    long total = Math.max(1, geometry.tables());
    if (++visits % 256 == 0
        && !progress.report(
            Math.min(table, total) * geometry.tableBytes(), total * geometry.tableBytes())) {
      throw new CancellationException("check of " + file.name());
    }
  }

  private final class Grains implements TableWalk.Visitor {
    @Override
    public boolean table(long table, long place) {
      report(table);
      int bytes = geometry.tableBytes();
      return place <= size - bytes && geometry.isFree(place, bytes);
    }

    @Override
    public void entry(long grain, long entry) {
      if (entry == GrainTables.ZEROED && geometry.hasZeroed()) {
        return;
      }
      if (grain >= geometry.grains()) {
        report.add(
            Severity.WARNING, file.name() + ": grain " + grain + " is behind the disk's end");
        return;
      }
      long place = entry * SparseHeader.SECTOR;
      long bytes = geometry.isCompressed() ? SparseHeader.SECTOR : geometry.grainSize();
      count.allocated++;
      count.compressed += geometry.isCompressed() ? 1 : 0;
      if (previousEnd >= 0 && place != previousEnd && !geometry.isCompressed()) {
        count.fragmented++;
      }
      previousEnd = place + bytes;
      if (place >= size || !geometry.isFree(place, bytes)) {
        report.add(Severity.ERROR, at("grain", grain, place) + ", where it cannot be");
      } else if (!claim(place, bytes, "grain")) {
        report.add(Severity.ERROR, at("grain", grain, place) + ", which something else has");
      }
    }
  }

  private void checkLeaks() {
    long[] leaked = new long[1];
    long first = Math.max(geometry.headerEnd(), 0);
    long cell = size <= LARGE ? SparseHeader.SECTOR : 8L * SparseHeader.SECTOR;
    used.forEachGap(
        first, size / cell * cell, (offset, bytes) -> leaked[0] += bytes / geometry.grainSize());
    if (leaked[0] > 0) {
      report.add(
          Severity.LEAK, leaked[0], file.name() + ": " + leaked[0] + " grains of space are lost");
    }
  }

  /** Where the last byte in use ends; after {@link #check}. */
  long usedEnd() {
    return usedEnd;
  }
}
