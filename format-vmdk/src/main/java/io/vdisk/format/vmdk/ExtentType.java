package io.vdisk.format.vmdk;

/**
 * How the bytes of an extent are kept. Source: Virtual Disk Format 5.0, "Extent Descriptions"; the
 * words that it lacks are ESXi's.
 */
enum ExtentType {
  /** As they are, in a file or on a device. */
  FLAT(true),
  /** In grains: a hosted sparse extent. */
  SPARSE(false),
  /** Nowhere: they are zero. */
  ZERO(false),
  /** As they are, in a file on ESXi's file system. */
  VMFS(true),
  /** In grains: a COWD file. */
  VMFSSPARSE(false),
  /** In grains of 4 KiB: ESXi's later delta disks. */
  SESPARSE(false),
  /** On a device that a mapping file stands for. */
  VMFSRDM(false),
  /** On a device of an ESXi host. */
  VMFSRAW(false);

  private final boolean isFlat;

  ExtentType(boolean isFlat) {
    this.isFlat = isFlat;
  }

  /** Whether the file holds the guest's bytes one after another. */
  boolean isFlat() {
    return isFlat;
  }
}
