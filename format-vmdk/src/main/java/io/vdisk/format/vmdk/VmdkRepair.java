package io.vdisk.format.vmdk;

import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing;
import java.io.IOException;

/**
 * Mends what a redundant copy knows better, makes the copies equal, and gives the space at the end
 * of the file back that nothing names; gaps before that are used again by the next writes. What no
 * copy knows stays as it is, with its error.
 */
final class VmdkRepair {
  private final VmdkImage image;

  VmdkRepair(VmdkImage image) {
    this.image = image;
  }

  CheckReport repair(Repairing.Scope scope, Progress progress) throws IOException {
    CheckReport found = new VmdkChecker(image, progress).check();
    if (scope == Repairing.Scope.ALL) {
      for (PlacedExtent placed : image.extents()) {
        if (placed.extent() instanceof SparseExtent sparse) {
          new GrainRepair(sparse.geometry()).mend();
        }
      }
    }
    CheckReport mended = new VmdkChecker(image, progress).check();
    if (mended.errors() == 0) {
      for (PlacedExtent placed : image.extents()) {
        if (placed.extent() instanceof SparseExtent sparse) {
          giveBackEnd(sparse);
        }
      }
    }
    CheckReport left = new VmdkChecker(image, Progress.NONE).check();
    return with(found, found.errors() - left.errors(), found.leaks() - left.leaks());
  }

  private void giveBackEnd(SparseExtent sparse) throws IOException {
    GrainGeometry geometry = sparse.geometry();
    GrainChecker checker =
        new GrainChecker(geometry, CheckReport.builder(), new GrainCount(), Progress.NONE);
    checker.check();
    long end = (checker.usedEnd() + geometry.grainSize() - 1) & -geometry.grainSize();
    if (end < geometry.file().size()) {
      geometry.file().resize(end);
      geometry.file().flush();
    }
    sparse.settle();
  }

  private static CheckReport with(CheckReport found, long errors, long leaks) {
    CheckReport.Builder report = CheckReport.builder();
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
