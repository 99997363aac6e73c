package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.List;

/**
 * Counts every reference of an image's tables, compares with its refcounts, and looks at each
 * COPIED bit. Finds what {@code qemu-img check} finds, and counts it in the same way. Reads the
 * file itself, alone: nothing is cached and nothing changed. What it costs is bounded by the size
 * of the file, whatever the tables say, and so is its memory: a byte or nine for each cluster. One
 * thread, used once.
 */
final class Qcow2Checker {
  final CheckedImage image;
  final Findings findings = new Findings();
  final ReferenceCounter counter;
  final L1Tables l1;
  final StoredRefcounts stored;
  final RefcountStructure structure;
  final RefcountComparison comparison;
  final MappingReferences mapping;
  final BitmapReferences bitmaps;

  /** What was read of it. */
  SnapshotTable snapshotTable = SnapshotTable.of(List.of());

  private long tableErrors;

  /** Errors that neither the snapshot table nor COPIED marks are. */
  private long otherErrors;

  /** The snapshot table has faults that writing it again mends. */
  boolean isTableToBeRewritten;

  Qcow2Checker(HostFile file, Qcow2Header header, Progress progress) throws IOException {
    this.image = new CheckedImage(file, header);
    this.counter = new ReferenceCounter(image, findings);
    this.l1 = new L1Tables(image);
    this.stored = new StoredRefcounts(image);
    this.structure = new RefcountStructure(image, stored, counter, findings);
    this.comparison = new RefcountComparison(image, stored, counter.references, findings);
    this.bitmaps = new BitmapReferences(image, counter);
    this.mapping = new MappingReferences(image, l1, counter, findings, progress);
  }

  /** Checks. */
  CheckReport check() throws IOException {
    boolean isWhole = run(false);
    CheckReport.Builder report = CheckReport.builder();
    findings.addTo(report);
    addUnits(report, isWhole);
    return report.build();
  }

  /**
   * Adds how the clusters are used.
   *
   * @param isWhole whether all was looked at
   */
  void addUnits(CheckReport.Builder report, boolean isWhole) {
    long size = image.header.virtualSize;
    long total = size / image.clusterSize + (size % image.clusterSize == 0 ? 0 : 1);
    report.units(total, mapping.allocated(), mapping.compressed(), mapping.fragmented());
    long end = isWhole ? Math.max(1, comparison.end()) : 0; // the header at least
    report.endOffset(end << image.clusterBits);
  }

  /**
   * Counts references, and refuses an image with errors. A leak harms nothing, nor does a COPIED
   * mark beside a count that is too high: a power cut may leave both.
   *
   * @throws CorruptImageException if there are any
   */
  void requireSound() throws IOException {
    boolean isWhole = run(false);
    if (!isWhole || !hasRightReferences() || findings.has(Severity.UNCHECKED)) {
      CheckReport.Builder report = CheckReport.builder();
      findings.addTo(report);
      throw new CorruptImageException(
          image.file.name()
              + ": has errors in its tables, and must be repaired first: "
              + report.build().findings().get(0).message());
    }
  }

  /**
   * Does the work.
   *
   * @param isSalvage as a repair needs it, which mends a snapshot table that is beyond its limits
   * @return false if it had to end early, because nobody can tell what something refers to
   */
  boolean run(boolean isSalvage) throws IOException {
    if (image.clusters() > CheckedImage.MAX_CLUSTERS) {
      findings.add(
          Severity.UNCHECKED, 1, () -> image.clusters() + " clusters are more than can be checked");
      return false;
    }
    try {
      refer(isSalvage);
    } catch (CorruptImageException e) {
      findings.add(Severity.UNCHECKED, 1, e::getMessage);
      return false;
    }
    comparison.compare();
    otherErrors = findings.count(Severity.ERROR) - tableErrors;
    CopiedMarks.check(this);
    return true;
  }

  /** Whether all that is wrong are leaks, COPIED marks and the snapshot table. */
  boolean hasRightReferences() {
    return otherErrors == 0;
  }

  private void refer(boolean isSalvage) throws IOException {
    SnapshotReferences snapshots = new SnapshotReferences(image, findings);
    SnapshotTable table = snapshots.read(isSalvage);
    snapshotTable = table;
    tableErrors = findings.count(Severity.ERROR);
    isTableToBeRewritten = snapshots.isToBeRewritten(table);
    counter.refer(0, image.clusterSize);
    counter.refer(image.header.l1TableOffset, l1.activeBytes());
    snapshots.count(table, l1, counter);
    mapping.count();
    counter.refer(image.header.luksOffset, image.header.luksLength);
    bitmaps.count();
    structure.count();
  }
}
