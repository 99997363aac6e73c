package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache.Hold;
import java.io.IOException;

/** Entries of one word: a cluster is one thing as a whole. */
final class StandardEntries extends Entries {
  StandardEntries(HostFile file, HostFile dataFile, Qcow2Header header, MetadataMap metadata) {
    super(file, dataFile, header, metadata);
  }

  @Override
  Mapping map(Slice entries, int i, long offset, long length) throws IOException {
    L2Entry entry = new L2Entry(entries.word(i));
    if (entry.isCompressed()) {
      return encoded(entry, offset, length);
    }
    boolean isPlaced = isPlaced(entry);
    if (entry.isZero()) {
      checkZero("of guest offset " + offset);
    } else if (isPlaced) {
      checkPlace(entry, offset);
    }
    long within = offset & (clusterSize - 1);
    long run = clusterSize - within;
    int last = i + 1;
    while (run < length && last < entries.length() && continues(entry, entries, last, i)) {
      last++;
      run += clusterSize;
    }
    run = Math.min(run, length);
    if (entry.isZero()) {
      return Mapping.zero(run);
    }
    return isPlaced ? stored(entry.offset() + within, run, entry.isCopied()) : Mapping.backing(run);
  }

  /** The first cluster of a data file lies at 0. */
  private boolean isPlaced(L2Entry entry) {
    return entry.isAllocated() || (entry.isCopied() && header.hasDataFile());
  }

  /** Whether entry {@code i} goes on with what entry {@code first} began. */
  private boolean continues(L2Entry entry, Slice entries, int i, int first) {
    L2Entry next = new L2Entry(entries.word(i));
    if (next.isCompressed()) {
      return false;
    }
    if (entry.isZero() || next.isZero()) {
      return entry.isZero() && next.isZero();
    }
    boolean isPlaced = isPlaced(entry);
    if (!isPlaced || !isPlaced(next)) {
      return isPlaced == isPlaced(next);
    }
    return next.offset() == entry.offset() + ((long) (i - first) << clusterBits)
        && next.isCopied() == entry.isCopied();
  }

  private void checkZero(String where) throws CorruptImageException {
    if (header.version < 3) {
      throw new CorruptImageException(
          file.name() + ": the L2 entry " + where + " of a version 2 image reads as zero");
    }
  }

  @Override
  GuestCluster get(Slice entries, int i) {
    L2Entry entry = new L2Entry(entries.word(i));
    boolean isKept = entry.isCompressed() || isPlaced(entry);
    long descriptor = isKept ? entry.withoutZero() : 0;
    int zero = entry.isZero() ? GuestCluster.ALL : 0;
    int stored = isKept && !entry.isCompressed() && !entry.isZero() ? GuestCluster.ALL : 0;
    return new GuestCluster(descriptor, stored, zero);
  }

  @Override
  void set(Hold hold, Slice entries, int i, GuestCluster cluster) {
    assert cluster.stored() == 0 || cluster.stored() == GuestCluster.ALL : cluster;
    assert cluster.zero() == 0 || cluster.zero() == GuestCluster.ALL : cluster;
    L2Entry entry = cluster.entry();
    hold.set(entries, i, cluster.isZero(0) ? entry.withZero() : entry.raw());
  }

  @Override
  long granule() {
    return clusterSize;
  }

  @Override
  int step() {
    return GuestCluster.SUBCLUSTERS;
  }
}
