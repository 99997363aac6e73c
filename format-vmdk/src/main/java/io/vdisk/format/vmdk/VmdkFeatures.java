package io.vdisk.format.vmdk;

import io.vdisk.feature.BackingLink;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Emptying;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.IoCallable;
import java.io.IOException;
import java.util.Optional;

/** What an image can beyond reading and writing; each runs alone on it. */
final class VmdkFeatures {
  private final VmdkImage image;
  private final Exclusive exclusive;

  VmdkFeatures(VmdkImage image, Exclusive exclusive) {
    this.image = image;
    this.exclusive = exclusive;
  }

  <T> Optional<T> find(Class<T> type) {
    Object feature = null;
    if (type == Checking.class) {
      Checking checking =
          progress -> exclusive.call(() -> new VmdkChecker(image, progress).check());
      feature = checking;
    } else if (type == Repairing.class) {
      Repairing repairing =
          (scope, progress) -> changing(() -> new VmdkRepair(image).repair(scope, progress));
      feature = repairing;
    } else if (type == BackingLink.class && canHaveParent()) {
      BackingLink link =
          (name, format) -> changing(() -> new VmdkBackingLink(image).change(name, format));
      feature = link;
    } else if (type == Resizing.class && VmdkResizing.isPossible(image)) {
      Resizing resizing = size -> changing(() -> new VmdkResizing(image).resize(size));
      feature = resizing;
    } else if (type == Emptying.class && image.tables().hasBacking()) {
      Emptying emptying = () -> changing(() -> new VmdkEmptying(image).empty());
      feature = emptying;
    }
    return feature == null ? Optional.empty() : Optional.of(type.cast(feature));
  }

  private boolean canHaveParent() {
    return image.descriptor().isPresent()
        && image.extents().stream().allMatch(placed -> placed.extent() instanceof SparseExtent);
  }

  private interface Step {
    void run() throws IOException;
  }

  private void changing(Step step) throws IOException {
    boolean unused =
        changing(
            () -> {
              step.run();
              return true;
            });
  }

  private <T> T changing(IoCallable<T> body) throws IOException {
    if (!image.isWritable()) {
      throw new IllegalStateException(
          image.file().name() + " is open for reading alone, and cannot be changed");
    }
    return exclusive.call(body);
  }
}
