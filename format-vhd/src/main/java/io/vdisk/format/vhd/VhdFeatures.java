package io.vdisk.format.vhd;

import io.vdisk.BlockDevice;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.OpenContext;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What an open image can do beyond reading and writing. */
final class VhdFeatures {
  private final OpenContext context;
  private final Footers.Reading reading;
  private final Optional<BlockDevice> parent;

  private VhdFeatures(OpenContext context, Footers.Reading reading, Optional<BlockDevice> parent) {
    this.context = context;
    this.reading = reading;
    this.parent = parent;
  }

  static VhdFeatures ofFixed(OpenContext context, Footers.Reading reading) {
    return new VhdFeatures(context, reading, Optional.empty());
  }

  static VhdFeatures ofSparse(
      OpenContext context, Footers.Reading reading, Optional<BlockDevice> parent) {
    return new VhdFeatures(context, reading, parent);
  }

  /** An image that was opened to be repaired takes nothing else. */
  void checkTakesWrites(HostFile file) throws UnsupportedImageException {
    if (context.options().isForRepair()) {
      throw new UnsupportedImageException(file.name() + ": is open to be repaired alone");
    }
  }

  <T> Optional<T> find(Class<T> type, Exclusive exclusive, SparseMetadata metadata) {
    Object found = sparse(type, exclusive, metadata);
    return found == null ? Optional.empty() : Optional.of(type.cast(found));
  }

  private @Nullable Object sparse(Class<?> type, Exclusive exclusive, SparseMetadata metadata) {
    if (type == Checking.class) {
      Checking checking =
          progress ->
              exclusive.call(
                  () ->
                      new VhdChecker(metadata.file, progress)
                          .checkSparse(
                              Structures.read(
                                  metadata.file,
                                  Footers.read(metadata.file, reading),
                                  reading,
                                  context.limits()),
                              context.options().isWithoutBacking() ? Optional.empty() : parent));
      return checking;
    }
    return null;
  }

  <T> Optional<T> find(Class<T> type, Exclusive exclusive, HostFile file, Footers footers) {
    if (type == Checking.class) {
      Checking checking =
          progress -> exclusive.call(() -> new VhdChecker(file, progress).checkFixed(footers));
      return Optional.of(type.cast(checking));
    }
    return Optional.empty();
  }
}
