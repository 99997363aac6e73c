package io.vdisk.format.qcow2;

/**
 * An entry of a bitmap table, 8 bytes. Specification: "Bitmap table".
 *
 * <pre>
 * bit 0     without an offset: the cluster's bits are all 1; with one: reserved
 * bits 9-55 host offset of a cluster of the bitmap's data; 0: there is none
 * </pre>
 *
 * @param raw the entry
 */
record BitmapTableEntry(long raw) {
  private static final long ALL_ONES = 1;
  private static final long RESERVED = 0xff00_0000_0000_01feL;

  /** A cluster that need not be there, all 0 or all 1. */
  static BitmapTableEntry uniform(boolean ones) {
    return new BitmapTableEntry(ones ? ALL_ONES : 0);
  }

  /** A cluster in the host file. */
  static BitmapTableEntry at(long fileOffset) {
    return new BitmapTableEntry(fileOffset);
  }

  /** Where the data lies; 0 if nowhere. */
  long offset() {
    return raw & L2Entry.OFFSET;
  }

  /** All bits are 1, and there is no data. */
  boolean isAllOnes() {
    return raw == ALL_ONES;
  }

  /** Reserved bits are 0 and the offset is one of a cluster. */
  boolean isWellFormed(int clusterSize) {
    return (raw & RESERVED) == 0
        && (offset() == 0 || (raw & ALL_ONES) == 0)
        && offset() % clusterSize == 0;
  }
}
