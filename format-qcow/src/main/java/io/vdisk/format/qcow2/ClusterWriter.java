package io.vdisk.format.qcow2;

import io.vdisk.format.qcow2.Refcounts.Space;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache.Hold;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Gives guest clusters their host clusters, and takes them away. */
final class ClusterWriter {
  private final Metadata metadata;
  private final boolean hasBacking;

  ClusterWriter(Metadata metadata, boolean hasBacking) {
    this.metadata = metadata;
    this.hasBacking = hasBacking;
  }

  private long clusterSize() {
    return metadata.header().clusterSize();
  }

  private int clusterBits() {
    return metadata.header().clusterBits;
  }

  /** Makes sure that the entry for a guest offset has a table to lie in, and this image alone. */
  void ensureTable(long offset) throws IOException {
    ClusterTables tables = metadata.tables();
    if (tables.isKnownOwned(offset)) {
      return;
    }
    int slices = tables.slicesPerTable() + 2;
    metadata.taking(slices, hold -> makeTable(hold, tables, offset));
    metadata.writeBack.release(slices);
  }

  private boolean makeTable(Hold hold, ClusterTables tables, long offset) throws IOException {
    long old = tables.tableOffset(hold, offset);
    if (old != 0) {
      if (tables.isOwned(hold, offset)) {
        return true;
      }
      tables.lookUpTable(hold, offset);
      checkTable(old, metadata.map().isOtherThanL2Table(old));
    }
    Space space = metadata.refcounts().take(hold, clusterSize());
    if (space == null) {
      return false;
    }
    metadata.map().add(MetadataMap.Kind.L2_TABLE, space.offset(), clusterSize());
    if (old == 0) {
      tables.create(hold, offset, space.offset(), space.zeroed());
    } else {
      tables.move(hold, offset, space.offset());
      if (metadata.map().isOnly(MetadataMap.Kind.L2_TABLE, old)) {
        metadata.map().remove(old, clusterSize()); // else another entry still names it
      }
      metadata.quarantine.add(old, clusterSize());
    }
    return true;
  }

  /** The slice of entries for a guest offset, to be changed. */
  Slice entriesOf(Hold hold, long offset) throws IOException {
    ClusterTables tables = metadata.tables();
    Slice entries = Objects.requireNonNull(tables.entries(hold, offset));
    long table = tables.tableOffset(hold, offset);
    checkTable(table, !metadata.map().isOnly(MetadataMap.Kind.L2_TABLE, table));
    return entries;
  }

  private void checkTable(long table, boolean isOther) throws OverlapException {
    if (isOther) {
      throw new OverlapException(
          metadata.file.name() + ": the L2 table at offset " + table + " is other metadata, too");
    }
  }

  /**
   * An entry that is about to be replaced. What it names in this file is given back then, so that
   * it must be a cluster.
   */
  GuestCluster replaced(Slice slice, int i, long offset) throws IOException {
    GuestCluster cluster = metadata.entries().get(slice, i);
    if (cluster.hasPlace() && !metadata.header().hasDataFile()) {
      metadata.entries().checkPlace(cluster.entry(), offset);
    }
    return cluster;
  }

  /** See {@link io.vdisk.spi.WritableLayout#allocate}. */
  Allocation allocate(long offset, long length) throws IOException {
    ensureTable(offset);
    ClusterTables tables = metadata.tables();
    int index = tables.indexOf(offset);
    long within = offset & (clusterSize() - 1);
    long most = (within + length + clusterSize() - 1) >>> clusterBits();
    int clusters = (int) Math.min(most, tables.perSlice() - index);
    ClusterAllocation[] made = new ClusterAllocation[1];
    metadata.taking(
        ClusterAllocation.SLICES,
        hold -> {
          Slice slice = entriesOf(hold, offset);
          List<GuestCluster> old = clusters(slice, index, clusters, offset);
          boolean isOwn = isOwn(old.get(0));
          Space space = isOwn ? own(old, offset) : take(hold, old);
          if (space == null) {
            return false;
          }
          made[0] = new ClusterAllocation(metadata, this, space, isOwn, old, offset, length);
          return true;
        });
    return made[0];
  }

  /** Neighbouring clusters of which all or none have host space of their own. */
  private List<GuestCluster> clusters(Slice slice, int index, int most, long offset)
      throws IOException {
    List<GuestCluster> found = new ArrayList<>(most);
    for (int i = index; i < index + most; i++) {
      GuestCluster cluster = replaced(slice, i, offset + ((long) (i - index) << clusterBits()));
      if (i > index && isOwn(cluster) != isOwn(found.get(0))) {
        break;
      }
      found.add(cluster);
    }
    return found;
  }

  private boolean isOwn(GuestCluster cluster) {
    return metadata.header().hasDataFile() || cluster.isOwned();
  }

  private @Nullable Space take(Hold hold, List<GuestCluster> old) throws IOException {
    return metadata.refcounts().take(hold, (long) old.size() << clusterBits());
  }

  /** The space that clusters have, as far as it is in one piece. */
  private Space own(List<GuestCluster> old, long offset) throws IOException {
    if (metadata.header().hasDataFile()) {
      long start = offset & -clusterSize();
      return new Space(start, (long) old.size() << clusterBits(), false);
    }
    GuestCluster first = old.get(0);
    long start = first.entry().offset();
    int count = 1;
    while (count < old.size()
        && old.get(count).entry().offset() == start + ((long) count << clusterBits())) {
      count++;
    }
    long length = (long) count << clusterBits();
    if (metadata.map().isHit(start, length)) {
      throw new OverlapException(
          metadata.file.name()
              + ": the cluster at offset "
              + start
              + " of guest offset "
              + offset
              + " is metadata");
    }
    return new Space(start, length, false);
  }

  /** The space behind an entry that is about to be replaced loses a reference. */
  void drop(GuestCluster cluster) {
    if (metadata.header().hasDataFile()) {
      return;
    }
    L2Entry entry = cluster.entry();
    if (entry.isCompressed()) {
      long start = entry.compressedOffset(clusterBits());
      long end = start + entry.compressedLength(clusterBits());
      start &= -clusterSize();
      metadata.quarantine.add(start, ((end + clusterSize() - 1) & -clusterSize()) - start);
    } else if (cluster.hasPlace()) {
      metadata.quarantine.add(entry.offset() & -clusterSize(), clusterSize());
    }
  }

  /** Gives back what was counted and never named. Where the host fails it stays counted: a leak. */
  void uncount(long offset, long length) {
    try {
      metadata.locked(
          hold -> {
            metadata.appendPoint.forget(offset, length, clusterSize());
            long first = offset >>> clusterBits();
            long last = (offset + length - 1) >>> clusterBits();
            for (long cluster = first; cluster <= last; cluster++) {
              metadata.refcounts().lookUp(hold, cluster);
            }
            for (long cluster = first; cluster <= last; cluster++) {
              metadata.refcounts().decrement(hold, cluster);
            }
          });
    } catch (IOException e) {
      // abort never throws, and a leak is what the format allows
    }
  }

  /** Counts the clusters of freed space once less: nobody sees it any more. */
  void recycle(long fileOffset, long length) throws IOException {
    for (long at = fileOffset; at < fileOffset + length; at += clusterSize()) {
      recycleCluster(at);
    }
  }

  private void recycleCluster(long offset) throws IOException {
    long cluster = offset >>> clusterBits();
    boolean isMetadata = metadata.map().isHit(offset, clusterSize());
    boolean last =
        metadata.cache.locked(
            hold -> {
              boolean only = metadata.refcounts().count(hold, cluster) == 1;
              if (only) {
                // From here on nothing can raise the count again, so the hole harms nobody.
                metadata.appendPoint.forget(offset, clusterSize(), clusterSize());
              }
              return only;
            });
    if (last && isMetadata) {
      return; // an entry named it that had no right to: the reference that counts is another
    }
    if (last) {
      boolean unused = metadata.file.zero(offset, clusterSize(), false);
    }
    metadata.changing(1, hold -> metadata.refcounts().decrement(hold, cluster));
  }

  /** See {@link io.vdisk.spi.WritableLayout#zero}. */
  long zero(long offset, long length, boolean keepSpace) throws IOException {
    if (metadata.header().isDataFileRaw()) {
      boolean isPlain = !metadata.header().isEncrypted();
      return isPlain && metadata.dataFile.zero(offset, length, keepSpace) ? length : 0;
    }
    if (metadata.header().version < 3 && (hasBacking || keepSpace)) {
      return 0;
    }
    ClusterTables tables = metadata.tables();
    Slice known = tables.entries(offset);
    if (known == null && !hasBacking) {
      return Math.min(length, tables.coverage() - offset % tables.coverage());
    }
    ensureTable(offset);
    long inSlice =
        ((long) (tables.perSlice() - tables.indexOf(offset)) << clusterBits())
            - (offset & (clusterSize() - 1));
    long end = offset + Math.min(length, inSlice);
    long[] done = new long[1];
    metadata.changing(
        1,
        hold -> {
          Slice slice = entriesOf(hold, offset);
          for (long at = offset; at < end; at = (at & -clusterSize()) + clusterSize()) {
            replaced(slice, tables.indexOf(at), at); // before anything is changed
          }
          long at = offset;
          while (at < end) {
            long stop = Math.min(end, (at & -clusterSize()) + clusterSize());
            if (!zero(hold, slice, at, stop, keepSpace)) {
              break;
            }
            at = stop;
          }
          done[0] = at - offset;
        });
    if (metadata.header().hasDataFile() && !keepSpace && done[0] > 0) {
      boolean unused = metadata.dataFile.zero(offset, done[0], false);
    }
    return done[0];
  }

  /**
   * Makes granules of one cluster read as zero.
   *
   * @return false if they cannot, because the cluster is compressed
   */
  private boolean zero(Hold hold, Slice slice, long from, long to, boolean keepSpace)
      throws IOException {
    int i = metadata.tables().indexOf(from);
    GuestCluster old = metadata.entries().get(slice, i);
    int mask = subclusters(from, to);
    boolean isWhole = mask == GuestCluster.ALL;
    if (!isWhole && old.entry().isCompressed()) {
      return false;
    }
    boolean isPlaceKept = old.hasPlace() && (keepSpace || (old.stored() & ~mask) != 0);
    int zero = old.zero();
    if (isPlaceKept || hasBacking) {
      zero |= mask;
    } else if (old.hasPlace()) {
      zero &= ~mask; // what has no place reads as zero without a mark
    }
    GuestCluster next =
        new GuestCluster(isPlaceKept ? old.descriptor() : 0, old.stored() & ~mask, zero);
    if (!next.equals(old)) {
      if (!isPlaceKept) {
        drop(old);
      }
      metadata.entries().set(hold, slice, i, next);
    }
    return true;
  }

  /** The subclusters of a range inside one cluster; a part of one at the end of the disk counts. */
  int subclusters(long from, long to) {
    int step = metadata.entries().step();
    long granule = metadata.entries().granule();
    long within = from & (clusterSize() - 1);
    int first = (int) (within / granule) * step;
    int end = (int) ((within + (to - from) + granule - 1) / granule) * step;
    return GuestCluster.mask(first, end);
  }
}
