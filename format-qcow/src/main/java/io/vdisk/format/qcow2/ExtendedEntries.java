package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache.Hold;
import java.io.IOException;

/**
 * Entries of two words, the second with two bits for each of 32 subclusters. The words are read and
 * changed together.
 */
final class ExtendedEntries extends Entries {
  private final int subclusterBits;

  ExtendedEntries(HostFile file, HostFile dataFile, Qcow2Header header, MetadataMap metadata) {
    super(file, dataFile, header, metadata);
    this.subclusterBits =
        header.clusterBits - Integer.numberOfTrailingZeros(GuestCluster.SUBCLUSTERS);
  }

  /** Without a lock: {@link io.vdisk.spi.metadata.Slice#version} tells whether the words fit. */
  @Override
  Mapping map(Slice entries, int i, long offset, long length) throws IOException {
    GuestCluster cluster = words(entries, i);
    if (!cluster.isValid()) {
      throw invalid(cluster, "of guest offset " + offset);
    }
    L2Entry entry = cluster.entry();
    if (entry.isCompressed()) {
      return encoded(entry, offset, length);
    }
    if (cluster.isStored()) {
      checkPlace(entry, offset);
    }
    long within = offset & (clusterSize - 1);
    int subcluster = (int) (within >>> subclusterBits);
    int end = cluster.endOfRun(subcluster);
    long run = ((long) end << subclusterBits) - within;
    int next = i + 1;
    while (run < length && end == GuestCluster.SUBCLUSTERS && 2 * next < entries.length()) {
      GuestCluster more = words(entries, next);
      if (!continues(cluster, subcluster, more, next - i)) {
        break;
      }
      end = more.endOfRun(0);
      run += (long) end << subclusterBits;
      next++;
    }
    run = Math.min(run, length);
    if (cluster.isZero(subcluster)) {
      return Mapping.zero(run);
    }
    return cluster.isStored(subcluster)
        ? stored(entry.offset() + within, run, entry.isCopied())
        : Mapping.backing(run);
  }

  /** Whether a cluster begins with what the run through a subcluster of another is. */
  private boolean continues(GuestCluster cluster, int subcluster, GuestCluster next, int distance) {
    if (!next.isValid()
        || next.entry().isCompressed()
        || next.isZero(0) != cluster.isZero(subcluster)
        || next.isStored(0) != cluster.isStored(subcluster)) {
      return false;
    }
    return !next.isStored(0)
        || (next.entry().offset() == cluster.entry().offset() + ((long) distance << clusterBits)
            && next.entry().isCopied() == cluster.entry().isCopied());
  }

  private GuestCluster words(Slice entries, int i) {
    L2Entry entry = new L2Entry(entries.word(2 * i));
    boolean isNowhere =
        !entry.isCompressed() && entry.offset() == 0 && !(entry.isCopied() && header.hasDataFile());
    long states = entries.word(2 * i + 1);
    return new GuestCluster(
        isNowhere ? 0 : entry.withoutZero(),
        (int) states,
        (int) (states >>> GuestCluster.SUBCLUSTERS));
  }

  @Override
  GuestCluster get(Slice entries, int i) throws CorruptImageException {
    GuestCluster cluster = words(entries, i);
    if (!cluster.isValid()) {
      throw invalid(cluster, "to be changed");
    }
    return cluster;
  }

  @Override
  void set(Hold hold, Slice entries, int i, GuestCluster cluster) {
    hold.setPair(entries, 2 * i, cluster.descriptor(), 2 * i + 1, cluster.states());
  }

  @Override
  long granule() {
    return 1L << subclusterBits;
  }

  @Override
  int step() {
    return 1;
  }
}
