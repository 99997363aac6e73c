package io.vdisk.format.vhd;

import io.vdisk.BlockDevice;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Amending;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Emptying;
import io.vdisk.feature.JournalReplay;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.IoCallable;
import io.vdisk.spi.OpenContext;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an open image can do beyond reading and writing. Each call is alone on the image, with
 * everything written back before, and what is in memory of it read again afterwards.
 */
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
    HostFile file = metadata.file;
    Object found = common(type, exclusive, file);
    if (found == null) {
      found = sparse(type, exclusive, file);
    }
    return found == null ? Optional.empty() : Optional.of(type.cast(found));
  }

  <T> Optional<T> find(Class<T> type, Exclusive exclusive, HostFile file) {
    Object found = common(type, exclusive, file);
    if (found == null && type == Resizing.class) {
      Resizing resizing =
          size -> alter(exclusive, file, () -> new FixedResizing(file, footers(file)).resize(size));
      found = resizing;
    }
    return found == null ? Optional.empty() : Optional.of(type.cast(found));
  }

  /** What every image can. */
  private @Nullable Object common(Class<?> type, Exclusive exclusive, HostFile file) {
    if (type == Checking.class) {
      Checking checking =
          progress ->
              exclusive.call(
                  () -> new VhdChecker(file, progress).check(reading, context.limits(), time()));
      return checking;
    }
    if (type == Repairing.class) {
      Repairing repairing =
          (scope, progress) -> {
            checkWritable(file);
            return exclusive.call(
                () -> new VhdRepair(file, context.limits(), scope, progress).repair());
          };
      return repairing;
    }
    if (type == Amending.class) {
      Amending amending =
          (options, progress) ->
              alter(exclusive, file, () -> new VhdAmending(file, context.limits()).amend(options));
      return amending;
    }
    if (type == JournalReplay.class) {
      JournalReplay replay =
          journal -> {
            checkWritable(file);
            boolean unused =
                exclusive.<Boolean>call(
                    () -> {
                      VhdJournal.read(journal, file).replay();
                      return true;
                    });
          };
      return replay;
    }
    return null;
  }

  private @Nullable Object sparse(Class<?> type, Exclusive exclusive, HostFile file) {
    if (type == Resizing.class) {
      Resizing resizing =
          size -> alter(exclusive, file, () -> new SparseResizing(structures(file)).resize(size));
      return resizing;
    }
    if (type == BackingLink.class) {
      BackingLink link =
          (name, format) ->
              alter(
                  exclusive,
                  file,
                  () ->
                      new VhdBackingLink(structures(file), context.options().references())
                          .change(name, format));
      return link;
    }
    if (type == Emptying.class) {
      Emptying emptying =
          () -> alter(exclusive, file, () -> new VhdEmptying(structures(file)).empty());
      return emptying;
    }
    return null;
  }

  /** What is done for its effect. */
  @FunctionalInterface
  private interface Body {
    void run() throws IOException;
  }

  private void alter(Exclusive exclusive, HostFile file, Body body) throws IOException {
    checkWritable(file);
    checkTakesWrites(file);
    IoCallable<Boolean> call =
        () -> {
          body.run();
          return true;
        };
    boolean unused = exclusive.<Boolean>call(call);
  }

  private void checkWritable(HostFile file) {
    if (!context.writable()) {
      throw new IllegalStateException(
          file.name() + " is open for reading alone, and cannot be changed");
    }
  }

  /** When the parent was changed last; empty if that is not known. */
  private Optional<Long> time() {
    return context.options().isWithoutBacking()
        ? Optional.empty()
        : parent.flatMap(device -> ModificationTime.of(device.info()));
  }

  private Footers footers(HostFile file) throws IOException {
    return Footers.read(file, reading);
  }

  private Structures structures(HostFile file) throws IOException {
    return Structures.read(file, footers(file), reading, context.limits());
  }
}
