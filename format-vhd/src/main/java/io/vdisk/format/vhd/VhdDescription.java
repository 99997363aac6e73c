package io.vdisk.format.vhd;

import io.vdisk.ImageInfo;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.time.Instant;

/** What an image says of itself. Stateless. */
final class VhdDescription {
  /** The key of the disk's own id, by which children find their parent. */
  static final String UNIQUE_ID = "unique-id";

  private final HostFile file;

  VhdDescription(HostFile file) {
    this.file = file;
  }

  ImageInfo ofFixed(Footers footers) {
    HardDiskFooter footer = footers.used();
    ImageInfo.Builder info = ImageInfo.builder(VhdFormat.NAME, footer.virtualSize(), 1);
    describe(info, footer, DiskType.FIXED);
    return info.build();
  }

  ImageInfo ofSparse(Structures structures) throws IOException {
    HardDiskFooter footer = structures.footer();
    DiskType type = structures.isDifferencing() ? DiskType.DIFFERENCING : DiskType.DYNAMIC;
    ImageInfo.Builder info =
        ImageInfo.builder(VhdFormat.NAME, structures.virtualSize(), structures.blockSize());
    describe(info, footer, type);
    info.detail("block-size", structures.blockSize());
    info.detail("max-table-entries", structures.header().maxTableEntries());
    if (structures.isDifferencing()) {
      info.backing(ParentLink.of(structures).reference());
      info.detail("parent-unique-id", structures.header().parentId().toString());
      info.detail("parent-name", structures.header().parentName());
      info.detail("parent-time-stamp", time(structures.header().parentTimeStamp()));
    }
    structures
        .batmap()
        .ifPresent(
            batmap -> {
              info.detail("batmap-offset", batmap.mapOffset());
              info.detail("marker", batmap.marker());
              info.detail("encrypted", batmap.keyHash().isPresent());
            });
    return info.build();
  }

  private void describe(ImageInfo.Builder info, HardDiskFooter footer, DiskType type) {
    info.geometry(footer.geometry().toGeometry());
    info.detail("subformat", type.word());
    info.detail("creator", footer.creator().toString());
    info.detail("time-stamp", time(footer.timeStamp()));
    info.detail(UNIQUE_ID, footer.id().toString());
    info.detail("current-size", footer.currentSize());
    info.detail("original-size", footer.originalSize());
    info.detail("saved-state", footer.isSavedState());
    info.detail("hidden", footer.hidden());
    ModificationTime.of(file).ifPresent(time -> info.detail(ModificationTime.KEY, time(time)));
  }

  private static String time(long secondsSince2000) {
    return Instant.ofEpochSecond(HardDiskFooter.EPOCH + secondsSince2000).toString();
  }
}
