package io.vdisk.format.qcow2;

import com.google.common.math.LongMath;
import io.vdisk.Progress;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.feature.Repairing.Scope;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow2.HeaderExtension.Feature;
import io.vdisk.spi.NoSpaceException;
import java.io.IOException;
import java.math.RoundingMode;
import java.nio.ByteBuffer;

/**
 * Mends what {@code qemu-img check -r} mends. Works on the file alone: the caller has written
 * everything back, runs this alone, and reads everything anew afterwards, the header too.
 *
 * <p>It can be cut at any instant and run again: what is written first is durable before anything
 * relies on it.
 *
 * <ol>
 *   <li>the number of snapshots, if it is beyond the limit
 *   <li>L2 entries that read as zero and name no place that can be
 *   <li>bits of bitmaps that lie nowhere: they are set
 *   <li>refcounts, in their blocks, or a whole new structure ({@link RefcountRebuild})
 *   <li>COPIED marks, which rely on the counts
 *   <li>the snapshot table, if it is incomplete: a new one, counted before the header names it
 *   <li>the dirty and the corrupt bit, when no error is left
 * </ol>
 *
 * <p>Guest data stays as it is. QEMU also mends marks in an L2 table that is some other table's
 * data cluster; that is left here, as an error. One thread, used once.
 */
final class Repair {
  /** Mending one thing may show another, or leave space behind; the third finds nothing new. */
  private static final int ROUNDS = 4;

  private final HostFile file;
  private final Qcow2Header header;
  private final Scope scope;
  private final Progress progress;

  /** What could not be mended, and why. */
  private final Findings obstacles = new Findings();

  Repair(HostFile file, Qcow2Header header, Scope scope, Progress progress) {
    this.file = file;
    this.header = header;
    this.scope = scope;
    this.progress = progress;
  }

  /** Mends. */
  CheckReport repair() throws IOException {
    Qcow2Checker found = new Qcow2Checker(file, header, part(0));
    boolean isWhole = found.run(mendsAll());
    Qcow2Checker left = found;
    for (int round = 1; round <= ROUNDS && isWhole && mend(left); round++) {
      left = new Qcow2Checker(file, header, part(round));
      isWhole = left.run(mendsAll());
    }
    boolean isUnchecked = !isWhole || left.findings.has(Severity.UNCHECKED);
    if (!isUnchecked && !left.findings.has(Severity.ERROR) && !obstacles.has(Severity.UNCHECKED)) {
      clearMarks();
    }
    return report(found.findings, left, isWhole);
  }

  /** The progress of one check of several. */
  private Progress part(int round) {
    int parts = ROUNDS + 1;
    return (done, total) -> progress.report(total / parts * round + done / parts, total);
  }

  private boolean mendsAll() {
    return scope == Scope.ALL;
  }

  /** Mends what it can of what a check has found; false if there was nothing. */
  private boolean mend(Qcow2Checker checked) throws IOException {
    if (checked.findings.count(Severity.ERROR) == 0
        && checked.findings.count(Severity.LEAK) == 0
        && !checked.structure.needsNewPlace()) {
      return false;
    }
    return mendsAll() ? mendAll(checked) : mendLeaks(checked);
  }

  private boolean mendLeaks(Qcow2Checker checked) throws IOException {
    if (checked.structure.isBroken() || checked.comparison.isUncountedInUse()) {
      obstacles.add(
          Severity.UNCHECKED,
          1,
          () -> "leaks are not given back while refcounts have errors: a repair of all mends them");
      return false;
    }
    boolean hasMended = correct(checked, false);
    if (checked.hasRightReferences()) {
      file.flush();
      hasMended |= CopiedMarks.mend(checked, new StoredRefcounts(checked.image));
    }
    file.flush();
    return hasMended;
  }

  private boolean mendAll(Qcow2Checker checked) throws IOException {
    boolean hasMended = false;
    if (checked.snapshotTable.dropped() > 0) {
      ByteBuffer count = ByteBuffer.allocate(4).putInt(0, checked.snapshotTable.entries().size());
      file.write(count, Qcow2Header.NB_SNAPSHOTS.offset());
      file.flush();
      hasMended = true;
    }
    if (checked.mapping.misplacedZeroes() > 0 && new MisplacedZeroes(checked).mend()) {
      file.flush();
      return true; // what they named is counted no more
    }
    hasMended |= checked.bitmaps.mend();
    long newTable = checked.isTableToBeRewritten ? writeSnapshotTable(checked) : 0;
    if (newTable > 0 || checked.structure.needsNewPlace() || checked.comparison.isBlockMissing()) {
      if (!rebuild(checked)) {
        return false;
      }
      hasMended = true;
    } else {
      hasMended |= correct(checked, true);
    }
    file.flush();
    hasMended |= CopiedMarks.mend(checked, new StoredRefcounts(checked.image));
    file.flush();
    if (newTable > 0) {
      ByteBuffer pointer = ByteBuffer.allocate(12).putLong(4, newTable);
      file.write(
          pointer.putInt(0, checked.snapshotTable.entries().size()),
          Qcow2Header.NB_SNAPSHOTS.offset());
      file.flush();
    }
    return hasMended;
  }

  /**
   * Writes the snapshot table to a new place, which the header does not name yet and which is
   * counted from now on.
   *
   * @return where it lies; 0 if there is no room for it
   */
  private long writeSnapshotTable(Qcow2Checker checked) throws IOException {
    CheckedImage image = checked.image;
    ByteBuffer table = checked.snapshotTable.encode(file.name());
    long clusters = LongMath.divide(table.limit(), image.clusterSize, RoundingMode.CEILING);
    long first = new FreeClusters(image, checked.counter, image.clusters()).take(clusters);
    if (first == 0) {
      first = new FreeClusters(image, checked.counter, 1).take(clusters);
    }
    if (first == 0) {
      obstacles.add(Severity.UNCHECKED, 1, () -> "no room for a new snapshot table");
      return 0;
    }
    for (long cluster = first; cluster < first + clusters; cluster++) {
      checked.counter.references.add(cluster);
    }
    long offset = first << image.clusterBits;
    file.write(table, offset);
    return offset;
  }

  private boolean correct(Qcow2Checker checked, boolean raise) throws IOException {
    return new RefcountCorrection(checked.image, checked.stored, checked.counter.references, raise)
        .correct();
  }

  private boolean rebuild(Qcow2Checker checked) throws IOException {
    try {
      new RefcountRebuild(checked.image, checked.counter, checked.stored.width()).rebuild();
      return true;
    } catch (NoSpaceException | UnsupportedImageException e) {
      obstacles.add(Severity.UNCHECKED, 1, e::getMessage);
      return false;
    }
  }

  /** The marks say that the image is not to be trusted, and now it is. */
  private void clearMarks() throws IOException {
    if (header.version == 2) {
      return;
    }
    ByteBuffer field = ByteBuffer.allocate(Long.BYTES);
    file.readFully(field, Qcow2Header.INCOMPATIBLE_FEATURES.offset());
    long features = field.getLong(0);
    long cleared = features & ~(Feature.DIRTY.mask() | Feature.CORRUPT.mask());
    if (cleared != features) {
      file.flush();
      file.write(field.clear().putLong(0, cleared), Qcow2Header.INCOMPATIBLE_FEATURES.offset());
      file.flush();
    }
  }

  private CheckReport report(Findings found, Qcow2Checker last, boolean isWhole) {
    Findings left = last.findings;
    Findings all = new Findings();
    long fixed = merge(all, found, left, Severity.ERROR);
    long leaksFixed = merge(all, found, left, Severity.LEAK);
    all.addAll(left, Severity.UNCHECKED);
    all.addAll(obstacles, Severity.UNCHECKED);
    CheckReport.Builder report = CheckReport.builder();
    all.addTo(report);
    last.addUnits(report, isWhole);
    return report.fixed(fixed, leaksFixed).build();
  }

  /** Adds what was found, or is left if that is more; how much is not left. */
  private static long merge(Findings all, Findings found, Findings left, Severity severity) {
    all.addAll(found, severity);
    long more = left.count(severity) - found.count(severity);
    if (more > 0) {
      all.add(severity, more, () -> more + " came to light in the repair");
    }
    return Math.max(0, -more);
  }
}
