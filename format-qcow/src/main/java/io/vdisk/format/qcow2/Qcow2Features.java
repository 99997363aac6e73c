package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.Progress;
import io.vdisk.feature.Amending;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.DirtyBitmaps;
import io.vdisk.feature.Emptying;
import io.vdisk.feature.KeySlots;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.feature.Snapshots;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.OpenContext;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What an open image can do beyond reading and writing. */
final class Qcow2Features {
  private final Metadata metadata;
  private final HeaderMarks marks;
  private final Encryption encryption;
  private final OpenContext context;
  private final Optional<BlockDevice> backing;

  Qcow2Features(
      Metadata metadata,
      HeaderMarks marks,
      Encryption encryption,
      OpenContext context,
      Optional<BlockDevice> backing) {
    this.metadata = metadata;
    this.marks = marks;
    this.encryption = encryption;
    this.context = context;
    this.backing = backing;
  }

  <T> Optional<T> find(Class<T> type, Exclusive exclusive, Qcow2Layout layout) {
    if (type == KeySlots.class) {
      return encryption.keySlots(exclusive, marks::prepareHeader).map(type::cast);
    }
    Alterations alterations = new Alterations(metadata, marks, context.writable(), exclusive);
    Object found = find(type, alterations, layout);
    return found == null ? Optional.empty() : Optional.of(type.cast(found));
  }

  private @Nullable Object find(Class<?> type, Alterations alterations, Qcow2Layout layout) {
    if (type == Checking.class) {
      Checking checking =
          progress ->
              alterations.look(
                  () -> new Qcow2Checker(metadata.file, metadata.header(), progress).check());
      return checking;
    }
    if (type == Repairing.class) {
      Repairing repairing = (scope, progress) -> repair(alterations, scope, progress);
      return repairing;
    }
    if (type == Snapshots.class) {
      return new Qcow2Snapshots(alterations, snapshot -> view(layout, snapshot));
    }
    if (type == DirtyBitmaps.class) {
      return new Qcow2Bitmaps(alterations);
    }
    if (type == Resizing.class) {
      return new Qcow2Resizing(alterations, layout.clusters());
    }
    if (type == BackingLink.class) {
      return new Qcow2BackingLink(alterations);
    }
    if (type == Emptying.class) {
      return new Qcow2Emptying(alterations);
    }
    return type == Amending.class ? new Qcow2Amending(alterations) : null;
  }

  private CheckReport repair(Alterations alterations, Repairing.Scope scope, Progress progress)
      throws IOException {
    alterations.checkWritable();
    return alterations.look(
        () -> new Repair(metadata.file, metadata.header(), scope, progress).repair());
  }

  private BlockDevice view(Qcow2Layout layout, SnapshotEntry snapshot) {
    return context.view(
        new SnapshotLayout(layout, metadata, snapshot, context.cacheBudget()), backing);
  }
}
