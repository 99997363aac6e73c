package io.vdisk.format.qcow2;

/**
 * The descriptor in an entry of an L2 table, 8 bytes: all of the entry, or the first word of an
 * extended one. Specification: "L2 table entry", "Standard Cluster Descriptor", "Compressed
 * Clusters Descriptor".
 *
 * <pre>
 * bit 63   COPIED: the cluster's refcount is exactly 1, it may be overwritten
 * bit 62   compressed
 * standard:   bits 9-55 host offset, 0: not allocated; bit 0 reads as zero (version 3)
 * compressed: bits 0 to x-1 host offset in bytes, x to 61 further 512-byte sectors;
 *             x = 62 - (cluster_bits - 8)
 * </pre>
 *
 * @param raw the entry
 */
record L2Entry(long raw) {
  /** The cluster's refcount is exactly 1. The same bit in entries of the L1 table. */
  static final long COPIED = 1L << 63;

  private static final long COMPRESSED = 1L << 62;
  private static final long ZERO = 1;

  /** Bits 9 to 55. The same in entries of the L1 table. */
  static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

  /** Bits 1 to 8 and 56 to 61 of a standard entry. */
  private static final long RESERVED = 0x3f00_0000_0000_01feL;

  private static final int SECTOR = 512;

  /** A cluster that nothing else refers to. */
  static L2Entry owned(long fileOffset) {
    return new L2Entry(fileOffset | COPIED);
  }

  /** A cluster that reads as zero and has no host space. */
  static L2Entry zero() {
    return new L2Entry(ZERO);
  }

  /** A cluster whose compressed bytes are these. */
  static L2Entry compressed(long fileOffset, int length, int clusterBits) {
    long further = (fileOffset + length - 1) / SECTOR - fileOffset / SECTOR;
    return new L2Entry(COMPRESSED | further << offsetBits(clusterBits) | fileOffset);
  }

  boolean isCompressed() {
    return (raw & COMPRESSED) != 0;
  }

  /** The cluster reads as zero, with host space or without. */
  boolean isZero() {
    return !isCompressed() && (raw & ZERO) != 0;
  }

  /** A standard entry with host space, perhaps one that reads as zero all the same. */
  boolean isAllocated() {
    return !isCompressed() && (raw & OFFSET) != 0;
  }

  boolean isCopied() {
    return (raw & COPIED) != 0;
  }

  boolean hasReservedBits() {
    return !isCompressed() && (raw & RESERVED) != 0;
  }

  /** Where the cluster lies; 0 if nowhere. Of a standard entry. */
  long offset() {
    return raw & OFFSET;
  }

  /** The same standard entry, reading as zero. */
  long withZero() {
    return raw | ZERO;
  }

  /** The same, if it is a standard entry not reading as zero. */
  long withoutZero() {
    return isCompressed() ? raw : raw & ~ZERO;
  }

  /** Where the compressed bytes begin. */
  long compressedOffset(int clusterBits) {
    return raw & ((1L << offsetBits(clusterBits)) - 1);
  }

  /** Compressed bytes at most: to the end of the last sector. */
  int compressedLength(int clusterBits) {
    int bits = offsetBits(clusterBits);
    long further = (raw >>> bits) & ((1L << (62 - bits)) - 1);
    long within = compressedOffset(clusterBits) % SECTOR;
    return (int) ((further + 1) * SECTOR - within);
  }

  /** Host offsets from here on do not fit in a compressed entry. */
  static long compressedLimit(int clusterBits) {
    return 1L << offsetBits(clusterBits);
  }

  private static int offsetBits(int clusterBits) {
    return 62 - (clusterBits - 8);
  }
}
