package io.vdisk.format.qcow;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import java.io.IOException;

/**
 * New space at the end of the file: for clusters that follow each other, or for a compressed one.
 *
 * <p>Never "zeroed": each cluster is written whole, so that the file ends where a cluster does.
 * Xen's drivers fail on one that the file cuts off, and QEMU would put a compressed cluster there.
 */
final class ClusterAllocation implements Allocation {
  private final QcowLayout layout;
  private final long cluster;
  private final int clusters;
  private final L2Entry first;
  private final long place;
  private final long bytes;
  private final long head;
  private final long length;
  private final long tail;
  private final int slices;

  /**
   * An allocation.
   *
   * @param cluster the first cluster's number
   * @param first its entry
   * @param place where the space begins
   * @param bytes how much there is
   * @param head guest bytes of the first cluster before the write
   * @param room guest bytes from there to the end of the last cluster
   * @param wanted guest bytes of the write, maybe more than there is room for
   * @param slices what was reserved of the write-back
   */
  ClusterAllocation(
      QcowLayout layout,
      long cluster,
      int clusters,
      L2Entry first,
      long place,
      long bytes,
      long head,
      long room,
      long wanted,
      int slices) {
    this.layout = layout;
    this.cluster = cluster;
    this.clusters = clusters;
    this.first = first;
    this.place = place;
    this.bytes = bytes;
    this.head = head;
    this.length = Math.min(wanted, room);
    this.tail = room - length;
    this.slices = slices;
  }

  @Override
  public HostFile file() {
    return layout.file();
  }

  @Override
  public long fileOffset() {
    return place + head;
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public long head() {
    return head;
  }

  @Override
  public long tail() {
    return tail;
  }

  @Override
  public boolean zeroed() {
    return false;
  }

  @Override
  public void commit() throws IOException {
    layout.commit(cluster, clusters, first, slices);
  }

  @Override
  public void abort() {
    layout.abort(place, bytes, slices);
  }
}
