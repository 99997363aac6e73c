package io.vdisk.format.vhdx;

import io.vdisk.feature.BackingLink;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Emptying;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.spi.Exclusive;
import java.io.IOException;
import java.util.Optional;

/** What an image can beyond reading and writing; each runs alone on it. */
final class VhdxFeatures {
  private final VhdxImage image;
  private final Exclusive exclusive;

  VhdxFeatures(VhdxImage image, Exclusive exclusive) {
    this.image = image;
    this.exclusive = exclusive;
  }

  <T> Optional<T> find(Class<T> type) {
    Object feature = null;
    if (type == Checking.class) {
      Checking checking = progress -> alone(() -> new VhdxChecker(image).check(progress));
      feature = checking;
    } else if (type == Repairing.class) {
      Repairing repairing =
          (scope, progress) -> changing(() -> new VhdxRepair(image).repair(scope, progress));
      feature = repairing;
    } else if (type == Resizing.class) {
      Resizing resizing = size -> changing(() -> new VhdxResizing(image).resize(size));
      feature = resizing;
    } else if (type == BackingLink.class) {
      BackingLink link =
          (name, format) -> changing(() -> new VhdxBackingLink(image).change(name, format));
      feature = link;
    } else if (type == Emptying.class && image.structure().disk().parent().isPresent()) {
      Emptying emptying = () -> changing(() -> new VhdxEmptying(image).empty());
      feature = emptying;
    }
    return feature == null ? Optional.empty() : Optional.of(type.cast(feature));
  }

  private interface Body<T> {
    T run() throws IOException;
  }

  private interface Step {
    void run() throws IOException;
  }

  private <T> T alone(Body<T> body) throws IOException {
    return exclusive.call(body::run);
  }

  private void changing(Step step) throws IOException {
    boolean unused =
        changing(
            () -> {
              step.run();
              return true;
            });
  }

  private <T> T changing(Body<T> body) throws IOException {
    if (!image.isWritable()) {
      throw new IllegalStateException(
          image.file().name() + " is open for reading alone, and cannot be changed");
    }
    return alone(body);
  }
}
