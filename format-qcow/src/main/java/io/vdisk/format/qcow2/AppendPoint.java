package io.vdisk.format.qcow2;

/** Where the next compressed bytes go. Under the metadata lock. */
final class AppendPoint {
  /** In the host file; 0: into a new cluster. */
  long at;

  /** Compressed bytes are no longer added to a cluster in this range. */
  void forget(long offset, long length, long clusterSize) {
    long cluster = at & -clusterSize;
    if (at != 0 && cluster >= (offset & -clusterSize) && cluster < offset + length) {
      at = 0;
    }
  }
}
