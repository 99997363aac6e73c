package io.vdisk.format.vmdk;

/** What the guest may do with an extent. Source: Virtual Disk Format 5.0, "Extent Descriptions". */
enum ExtentAccess {
  /** Read and write. */
  RW,
  /** Read only. */
  RDONLY,
  /** Neither. */
  NOACCESS
}
