package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow2.Refcounts.Space;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache.Hold;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Finds room for compressed clusters: each right behind the one before it, so that several share a
 * host cluster, which is counted once for each.
 */
final class CompressedWriter {
  private final Metadata metadata;
  private final ClusterWriter clusters;

  CompressedWriter(Metadata metadata, ClusterWriter clusters) {
    this.metadata = metadata;
    this.clusters = clusters;
  }

  private long clusterSize() {
    return metadata.header().clusterSize();
  }

  private int clusterBits() {
    return metadata.header().clusterBits;
  }

  /** See {@link io.vdisk.spi.EncodedWriting#allocateEncoded}. */
  Allocation allocate(long offset, int encodedLength) throws IOException {
    clusters.ensureTable(offset);
    EncodedAllocation[] made = new EncodedAllocation[1];
    metadata.taking(
        EncodedAllocation.SLICES,
        hold -> {
          Slice entries = clusters.entriesOf(hold, offset); // in memory before anything is taken
          GuestCluster unused =
              clusters.replaced(entries, metadata.tables().indexOf(offset), offset);
          Long at = place(hold, encodedLength);
          if (at == null) {
            return false;
          }
          made[0] = new EncodedAllocation(offset, at, encodedLength);
          return true;
        });
    return made[0];
  }

  /** Finds room for compressed bytes: behind the last ones if they fit, or go on behind them. */
  private @Nullable Long place(Hold hold, int length) throws IOException {
    Refcounts refcounts = metadata.refcounts();
    long appendAt = metadata.appendPoint.at;
    long room = appendAt == 0 ? 0 : clusterSize() - (appendAt & (clusterSize() - 1));
    long at = appendAt;
    if (room > 0) {
      refcounts.lookUp(hold, at >>> clusterBits());
    }
    if (length <= room && refcounts.increment(hold, at >>> clusterBits())) {
      return appended(at, length);
    }
    Space space = refcounts.take(hold, clusterSize());
    if (space == null) {
      return null;
    }
    boolean follows = room > 0 && length > room && space.offset() == at + room;
    if (!follows || !refcounts.increment(hold, at >>> clusterBits())) {
      at = space.offset();
    }
    return appended(at, length);
  }

  private long appended(long at, int length) throws CorruptImageException {
    if (at + length > L2Entry.compressedLimit(clusterBits())) {
      throw new CorruptImageException(
          metadata.file.name() + ": offset " + at + " is too large for a compressed cluster");
    }
    long end = at + length;
    metadata.appendPoint.at = (end & (clusterSize() - 1)) == 0 ? 0 : end;
    return at;
  }

  /** Room for one compressed cluster. */
  private final class EncodedAllocation implements Allocation {
    /** Refcounts of two clusters when it is taken or aborted, entries when it is committed. */
    static final int SLICES = 3;

    private final long offset;
    private final long fileOffset;
    private final int encodedLength;

    EncodedAllocation(long offset, long fileOffset, int encodedLength) {
      this.offset = offset;
      this.fileOffset = fileOffset;
      this.encodedLength = encodedLength;
    }

    @Override
    public HostFile file() {
      return metadata.file;
    }

    @Override
    public long fileOffset() {
      return fileOffset;
    }

    @Override
    public long length() {
      return clusterSize();
    }

    @Override
    public long head() {
      return 0;
    }

    @Override
    public long tail() {
      return 0;
    }

    @Override
    public boolean zeroed() {
      return false;
    }

    @Override
    public void commit() throws IOException {
      metadata.locked(
          hold -> {
            Slice entries = clusters.entriesOf(hold, offset);
            int i = metadata.tables().indexOf(offset);
            clusters.drop(metadata.entries().get(entries, i));
            L2Entry entry = L2Entry.compressed(fileOffset, encodedLength, clusterBits());
            metadata.entries().set(hold, entries, i, new GuestCluster(entry.raw(), 0, 0));
          });
      metadata.writeBack.release(SLICES);
    }

    @Override
    public void abort() {
      clusters.uncount(fileOffset, encodedLength);
      metadata.writeBack.release(SLICES);
    }
  }
}
