package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache.Hold;
import java.io.IOException;

/** How the entries of an image's L2 tables say where guest clusters are. */
abstract class Entries {
  /** The image, which holds compressed clusters. */
  final HostFile file;

  /** Where all other clusters are: the image or its data file. */
  final HostFile dataFile;

  final Qcow2Header header;
  final int clusterBits;
  final long clusterSize;

  /** What guest data may not be written over; empty where nothing is written. */
  final MetadataMap metadata;

  Entries(HostFile file, HostFile dataFile, Qcow2Header header, MetadataMap metadata) {
    this.file = file;
    this.dataFile = dataFile;
    this.header = header;
    this.clusterBits = header.clusterBits;
    this.clusterSize = header.clusterSize();
    this.metadata = metadata;
  }

  static Entries of(HostFile file, HostFile dataFile, Qcow2Header header, MetadataMap metadata) {
    return header.isExtended()
        ? new ExtendedEntries(file, dataFile, header, metadata)
        : new StandardEntries(file, dataFile, header, metadata);
  }

  /**
   * What the run of guest bytes from an offset on is, as far as one slice shows it.
   *
   * @param i the entry of its cluster
   */
  abstract Mapping map(Slice entries, int i, long offset, long length) throws IOException;

  /** An entry, under the metadata lock. */
  abstract GuestCluster get(Slice entries, int i) throws CorruptImageException;

  /** Changes an entry. */
  abstract void set(Hold hold, Slice entries, int i, GuestCluster cluster);

  /** The smallest piece whose state is recorded, bytes. */
  abstract long granule();

  /** Subclusters of which the state is the same by nature: all of a cluster, or one. */
  abstract int step();

  final Mapping encoded(L2Entry entry, long offset, long length) {
    return Mapping.encoded(
        file,
        entry.compressedOffset(clusterBits),
        entry.compressedLength(clusterBits),
        Math.min(length, clusterSize - (offset & (clusterSize - 1))));
  }

  /** A run that is stored; not to be written in place where it would hit metadata. */
  final Mapping stored(long fileOffset, long run, boolean copied) {
    return Mapping.stored(dataFile, fileOffset, run, copied && !metadata.isHit(fileOffset, run));
  }

  /** Sees that an entry with host space names what it may. */
  final void checkPlace(L2Entry entry, long offset) throws CorruptImageException {
    if ((entry.offset() & (clusterSize - 1)) != 0) {
      throw new CorruptImageException(
          file.name()
              + ": the L2 entry of guest offset "
              + offset
              + " names offset "
              + entry.offset()
              + ", which is not cluster aligned");
    }
    if (header.hasDataFile() && entry.offset() != (offset & -clusterSize)) {
      throw new CorruptImageException(
          file.name()
              + ": the L2 entry of guest offset "
              + offset
              + " names offset "
              + entry.offset()
              + " of the data file, which must be the same");
    }
  }

  final CorruptImageException invalid(GuestCluster cluster, String where) {
    return new CorruptImageException(
        file.name()
            + ": the L2 entry "
            + where
            + " is "
            + Long.toHexString(cluster.descriptor())
            + " with subclusters "
            + Long.toHexString(cluster.states()));
  }
}
