package io.vdisk.format.qcow2;

import io.vdisk.file.HostFile;
import io.vdisk.format.qcow2.Refcounts.Space;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.metadata.Slice;
import java.io.IOException;
import java.util.List;

/**
 * Whole host clusters for one write, new ones or those that the guest clusters have already. Its
 * edges reach to whole subclusters, and in new clusters so far that they take in what the old ones
 * have stored.
 */
final class ClusterAllocation implements Allocation {
  /** Refcounts when it is taken or aborted, entries when it is committed. */
  static final int SLICES = 2;

  private final Metadata metadata;
  private final ClusterWriter writer;
  private final Space space;
  private final boolean isOwn;

  /** The guest offset of the space. */
  private final long start;

  private final long offset;
  private final long length;

  /** What is written with its edges, guest offsets. */
  private final long from;

  private final long to;

  /**
   * An allocation. Under the metadata lock.
   *
   * @param isOwn whether the guest clusters have this space already
   * @param old the guest clusters; of more than the space, the first
   * @param most bytes of the write
   */
  ClusterAllocation(
      Metadata metadata,
      ClusterWriter writer,
      Space space,
      boolean isOwn,
      List<GuestCluster> old,
      long offset,
      long most) {
    this.metadata = metadata;
    this.writer = writer;
    this.space = space;
    this.isOwn = isOwn;
    this.offset = offset;
    long clusterSize = metadata.header().clusterSize();
    long within = offset & (clusterSize - 1);
    this.start = offset - within;
    this.length = Math.min(most, space.length() - within);
    long granule = metadata.entries().granule();
    long first = offset & -granule;
    long end = (offset + length + granule - 1) & -granule;
    if (!isOwn) {
      int last = (int) (space.length() / clusterSize) - 1;
      first = Math.min(first, firstKept(old.get(0)));
      end = Math.max(end, start + last * clusterSize + endOfKept(old.get(last)));
    }
    this.from = first;
    this.to = end;
  }

  /** Where what must be copied of the first cluster begins, as a guest offset. */
  private long firstKept(GuestCluster old) {
    if (old.entry().isCompressed()) {
      return start;
    }
    return old.isStored() ? start + old.firstStored() * subcluster() : Long.MAX_VALUE;
  }

  /** Where what must be copied of the last cluster ends, inside it. */
  private long endOfKept(GuestCluster old) {
    if (old.entry().isCompressed()) {
      return metadata.header().clusterSize();
    }
    return old.isStored() ? old.endOfStored() * subcluster() : 0;
  }

  private long subcluster() {
    return metadata.header().clusterSize() / GuestCluster.SUBCLUSTERS;
  }

  @Override
  public HostFile file() {
    return metadata.dataFile;
  }

  @Override
  public long fileOffset() {
    return space.offset() + (offset - start);
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public long head() {
    return offset - from;
  }

  @Override
  public long tail() {
    return to - (offset + length);
  }

  @Override
  public boolean zeroed() {
    return space.zeroed();
  }

  @Override
  public void commit() throws IOException {
    metadata.locked(
        hold -> {
          Slice entries = writer.entriesOf(hold, start);
          int index = metadata.tables().indexOf(start);
          long clusterSize = metadata.header().clusterSize();
          int count = (int) (space.length() / clusterSize);
          for (int i = 0; i < count; i++) {
            long at = start + i * clusterSize;
            int mask = writer.subclusters(Math.max(from, at), Math.min(to, at + clusterSize));
            GuestCluster old = metadata.entries().get(entries, index + i);
            if (!isOwn) {
              writer.drop(old);
            }
            L2Entry place = L2Entry.owned(space.offset() + i * clusterSize);
            GuestCluster next =
                new GuestCluster(place.raw(), old.stored() | mask, old.zero() & ~mask);
            metadata.entries().set(hold, entries, index + i, next);
          }
        });
    metadata.writeBack.release(SLICES);
  }

  @Override
  public void abort() {
    if (!isOwn) {
      writer.uncount(space.offset(), space.length());
    }
    metadata.writeBack.release(SLICES);
  }
}
