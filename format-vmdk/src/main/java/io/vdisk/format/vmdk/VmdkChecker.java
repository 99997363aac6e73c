package io.vdisk.format.vmdk;

import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import java.io.IOException;
import java.util.Optional;

/**
 * Checks the descriptor, and every extent that has tables. An error is an entry that names what is
 * not in the file, or what something else has; copies that differ are a warning, because a crash
 * may leave them so. Space of whole grains that nothing names is leaked.
 */
final class VmdkChecker {
  private final VmdkImage image;
  private final Progress progress;
  private final CheckReport.Builder report = CheckReport.builder();

  VmdkChecker(VmdkImage image, Progress progress) {
    this.image = image;
    this.progress = progress;
  }

  CheckReport check() throws IOException {
    checkParent();
    GrainCount count = new GrainCount();
    for (PlacedExtent placed : image.extents()) {
      if (placed.extent() instanceof SparseExtent sparse) {
        if (sparse.isUnclean()) {
          report.add(
              Severity.WARNING,
              sparse.geometry().file().name()
                  + ": it was not closed in order after it was written");
        }
        new GrainChecker(sparse.geometry(), report, count, progress).check();
      } else if (placed.extent() instanceof CompressedExtent compressed) {
        new GrainChecker(compressed.geometry(), report, count, progress).check();
      }
    }
    return report
        .units(count.total, count.allocated, count.compressed, count.fragmented)
        .endOffset(count.endOffset)
        .build();
  }

  private void checkParent() throws IOException {
    Optional<Long> cid =
        image.context().options().isWithoutBacking() ? Optional.empty() : image.parentCid();
    Optional<Descriptor> text = image.descriptor();
    if (text.isPresent() && cid.isPresent() && text.get().parentCid() != cid.get()) {
      report.add(
          Severity.ERROR,
          String.format(
              "%s: parentCID is %s, its parent has the CID %s",
              image.file().name(),
              Descriptor.hex(text.get().parentCid()),
              Descriptor.hex(cid.get())));
    }
  }
}
