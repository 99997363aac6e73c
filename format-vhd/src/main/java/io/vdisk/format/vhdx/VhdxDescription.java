package io.vdisk.format.vhdx;

import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.file.HostFile;
import java.util.Optional;

/** What an image says of itself. A child learns from it which parent it lies over. */
final class VhdxDescription {
  static final String DATA_WRITE_GUID = "data-write-guid";
  static final String LOGICAL_SECTOR = "logical-sector-size";
  static final String PHYSICAL_SECTOR = "physical-sector-size";
  static final String DISK_ID = "virtual-disk-id";

  private VhdxDescription() {}

  static ImageInfo of(HostFile file, DiskParameters disk, VhdxHeader header) {
    ImageInfo.Builder info =
        ImageInfo.builder(VhdxFormat.NAME, disk.virtualSize(), disk.blockSize())
            .backing(disk.parent().map(locator -> parent(locator.name(), file)))
            .detail("subformat", disk.subformat())
            .detail("log-size", header.logLength())
            .detail(LOGICAL_SECTOR, disk.logicalSector())
            .detail(PHYSICAL_SECTOR, disk.physicalSector())
            .detail(DISK_ID, disk.diskId().toString())
            .detail(DATA_WRITE_GUID, header.dataWriteGuid().toString());
    disk.parent().ifPresent(locator -> info.detail("parent-linkage", locator.linkage().toString()));
    return info.build();
  }

  static Reference parent(String name, HostFile file) {
    return new Reference(Reference.Kind.BACKING, name, Optional.of(VhdxFormat.NAME), file, false);
  }
}
