package io.vdisk.format.qcow;

/**
 * An entry of an L2 table: where a cluster lies. 0: nowhere.
 *
 * <p>With bit 63 set the cluster is compressed: bits 62 to (63 - cluster_bits) are the bytes that
 * it takes, the bits below its place, which is any byte.
 *
 * @param raw the entry
 */
record L2Entry(long raw) {
  private static final long COMPRESSED = 1L << 63;

  /** A cluster that takes {@code size} bytes from {@code fileOffset} on. */
  static L2Entry compressed(long fileOffset, int size, int clusterBits) {
    assert size > 0 && size < 1 << clusterBits && fileOffset >>> (63 - clusterBits) == 0;
    return new L2Entry(COMPRESSED | (long) size << (63 - clusterBits) | fileOffset);
  }

  boolean isUnallocated() {
    return raw == 0;
  }

  boolean isCompressed() {
    return (raw & COMPRESSED) != 0;
  }

  /** Whether the cluster lies somewhere as it is. */
  boolean isStored() {
    return raw > 0;
  }

  /** Where a compressed cluster lies. */
  long compressedOffset(int clusterBits) {
    return raw & ((1L << (63 - clusterBits)) - 1);
  }

  /** Bytes of a compressed cluster. */
  int compressedSize(int clusterBits) {
    return (int) (raw >>> (63 - clusterBits)) & ((1 << clusterBits) - 1);
  }
}
