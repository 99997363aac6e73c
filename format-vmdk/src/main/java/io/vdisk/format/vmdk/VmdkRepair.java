package io.vdisk.format.vmdk;

import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.feature.Repairing;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Mends what a redundant copy knows better, makes the copies equal, and gives space back that
 * nothing names: grains from the end of the file move into gaps, then the end is cut. What no copy
 * knows stays as it is, with its error; the report says why.
 */
final class VmdkRepair {
  private final VmdkImage image;

  VmdkRepair(VmdkImage image) {
    this.image = image;
  }

  CheckReport repair(Repairing.Scope scope, Progress progress) throws IOException {
    CheckReport found = new VmdkChecker(image, progress).check();
    if (scope == Repairing.Scope.ALL) {
      for (SparseExtent sparse : writable()) {
        new GrainRepair(sparse.geometry()).mend();
      }
    }
    CheckReport mended = new VmdkChecker(image, progress).check();
    if (mended.errors() == 0) {
      for (SparseExtent sparse : writable()) {
        giveBack(sparse, mended.leaks() > 0);
      }
    }
    CheckReport left = new VmdkChecker(image, Progress.NONE).check();
    return with(found, left);
  }

  private List<SparseExtent> writable() {
    List<SparseExtent> extents = new ArrayList<>();
    for (PlacedExtent placed : image.extents()) {
      if (placed.extent() instanceof SparseExtent sparse && sparse.isWritable()) {
        extents.add(sparse);
      }
    }
    return extents;
  }

  private static void giveBack(SparseExtent sparse, boolean hasGaps) throws IOException {
    GrainGeometry geometry = sparse.geometry();
    HostFile file = geometry.file();
    if (file.size() < file.capacity()) { // a device keeps its size
      if (hasGaps) {
        sparse.unsettle();
        new TableCopies(geometry).makeEqual();
        new GrainCompaction(geometry).run();
      }
      cutEnd(geometry);
    }
    sparse.settle();
  }

  private static void cutEnd(GrainGeometry geometry) throws IOException {
    HostFile file = geometry.file();
    GrainChecker checker =
        new GrainChecker(geometry, CheckReport.builder(), new GrainCount(), Progress.NONE);
    checker.check();
    long end = (checker.usedEnd() + geometry.grainSize() - 1) & -geometry.grainSize();
    if (end < file.size()) {
      file.resize(end);
      file.flush();
    }
  }

  /** Why errors are left. */
  private String obstacle() {
    boolean isCompressed =
        image.extents().stream().anyMatch(placed -> placed.extent() instanceof CompressedExtent);
    return image.file().name()
        + (isCompressed
            ? ": compressed grains are never written again, and their tables not mended; convert"
                + " the image, and what can be read is saved"
            : ": what no copy of the tables knows better stays as it is; convert the image, and"
                + " what can be read is saved");
  }

  private CheckReport with(CheckReport found, CheckReport left) {
    CheckReport.Builder report = CheckReport.builder();
    long errors = found.errors() - left.errors();
    long leaks = found.leaks() - left.leaks();
    if (left.errors() > 0) {
      report.add(Severity.WARNING, obstacle());
    }
    for (CheckReport.Severity severity : CheckReport.Severity.values()) {
      long all =
          switch (severity) {
            case ERROR -> found.errors();
            case LEAK -> found.leaks();
            case UNCHECKED -> found.unchecked();
            case WARNING -> found.warnings();
          };
      long said = 0;
      for (CheckReport.Finding finding : found.findings()) {
        if (finding.severity() == severity) {
          said++;
        }
      }
      long each = 0;
      for (CheckReport.Finding finding : found.findings()) {
        if (finding.severity() == severity) {
          boolean isLast = ++each == said;
          report.add(severity, isLast ? all - said + 1 : 1, finding.message());
        }
      }
    }
    return report
        .units(
            found.totalUnits(),
            found.allocatedUnits(),
            found.compressedUnits(),
            found.fragmentedUnits())
        .endOffset(found.endOffset())
        .fixed(Math.max(0, errors), Math.max(0, leaks))
        .build();
  }
}
