package io.vdisk.format.qcow2;

import io.vdisk.UnsupportedImageException;
import io.vdisk.spi.metadata.TableCache.Hold;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * All that one L1 table leads to: its L2 tables and their clusters, each of which it counts once.
 * The caller is alone on the image, whose tables are sound. One thread.
 */
final class ClusterTree {
  private final Metadata metadata;
  private final CheckedImage image;
  private final L2Table table;
  private final long l1Offset;
  private final ByteBuffer l1;

  /** The L1 table at an offset. */
  ClusterTree(Metadata metadata, long l1Offset, long l1Entries) throws IOException {
    this.metadata = metadata;
    this.image = new CheckedImage(metadata.file, metadata.header());
    this.table = new L2Table(image);
    this.l1Offset = l1Offset;
    this.l1 = image.read(l1Offset, l1Entries * Long.BYTES);
  }

  /** What is done with a run of clusters that are referred to. */
  private interface Visitor {
    /** False to go no further. */
    boolean visit(long firstCluster, long clusters) throws IOException;
  }

  /** Visits the clusters of all L2 tables, and then each table. */
  private boolean walk(Visitor visitor) throws IOException {
    for (int at = 0; at < l1.limit(); at += Long.BYTES) {
      L2Entry named = new L2Entry(l1.getLong(at));
      if (named.offset() == 0) {
        continue;
      }
      table.read(named.offset());
      if (!walkTable(visitor) || !visitor.visit(image.cluster(named.offset()), 1)) {
        return false;
      }
    }
    return true;
  }

  private boolean walkTable(Visitor visitor) throws IOException {
    if (metadata.header().hasDataFile()) {
      return true; // clusters of another file are not counted
    }
    for (int i = 0; i < table.entries(); ) {
      int run = Math.max(1, table.plainRun(i));
      L2Entry entry = table.entry(i);
      boolean goesOn = true;
      if (entry.isCompressed()) {
        long start = entry.compressedOffset(image.clusterBits);
        long end = start + entry.compressedLength(image.clusterBits) - 1;
        long first = image.cluster(start);
        goesOn = visitor.visit(first, image.cluster(end) - first + 1);
      } else if (entry.isAllocated()) {
        goesOn = visitor.visit(image.cluster(entry.offset()), run);
      }
      if (!goesOn) {
        return false;
      }
      i += run;
    }
    return true;
  }

  /**
   * Counts everything once more; all or, where this throws, nothing.
   *
   * @throws UnsupportedImageException if a count is the largest already
   */
  void add() throws IOException {
    long[] visits = new long[1];
    long[] partial = new long[1];
    boolean done =
        walk(
            (first, clusters) -> {
              partial[0] = metadata.refcounts().incrementAll(first, clusters);
              if (partial[0] < clusters) {
                return false;
              }
              visits[0]++;
              return true;
            });
    if (!done) {
      takeBack(visits[0], partial[0]);
      throw new UnsupportedImageException(
          metadata.file.name()
              + ": counts of "
              + metadata.header().refcountBits()
              + " bits have no room for another reference to the same cluster");
    }
  }

  private void takeBack(long visits, long partial) throws IOException {
    long[] left = {visits};
    boolean unused =
        walk(
            (first, clusters) -> {
              boolean isLast = left[0]-- == 0;
              metadata.refcounts().decrementAll(first, isLast ? partial : clusters);
              return !isLast;
            });
  }

  /** Counts everything once less; nothing on disk leads to the L1 table any longer. */
  void remove() throws IOException {
    boolean unused =
        walk(
            (first, clusters) -> {
              metadata.refcounts().decrementAll(first, clusters);
              return true;
            });
  }

  /**
   * Makes each COPIED bit of the L2 tables, and of the L1 table, say whether the count is 1; in the
   * file, and durably.
   */
  void mark() throws IOException {
    boolean changed = false;
    for (int at = 0; at < l1.limit(); at += Long.BYTES) {
      L2Entry named = new L2Entry(l1.getLong(at));
      if (named.offset() == 0) {
        continue;
      }
      table.read(named.offset());
      if (markTable()) {
        table.write();
      }
      L2Entry marked = marked(named);
      if (!marked.equals(named)) {
        l1.putLong(at, marked.raw());
        changed = true;
      }
    }
    if (changed) {
      metadata.file.write(l1.duplicate(), l1Offset);
    }
    metadata.file.flush();
  }

  private boolean markTable() throws IOException {
    boolean changed = false;
    for (int i = 0; i < table.entries(); i++) {
      L2Entry entry = table.entry(i);
      if (entry.isAllocated()) {
        L2Entry marked = marked(entry);
        if (!marked.equals(entry)) {
          table.set(i, marked, table.bitmap(i));
          changed = true;
        }
      }
    }
    return changed;
  }

  private L2Entry marked(L2Entry entry) throws IOException {
    long cluster = image.cluster(entry.offset());
    boolean isOnly =
        metadata.cache.locked((Hold hold) -> metadata.refcounts().count(hold, cluster) == 1);
    long unmarked = entry.raw() & ~L2Entry.COPIED;
    return new L2Entry(isOnly ? unmarked | L2Entry.COPIED : unmarked);
  }

  /** The L1 table without its COPIED bits, from position 0 to its limit. */
  ByteBuffer unmarkedL1() {
    ByteBuffer copy = ByteBuffer.allocate(l1.limit());
    for (int at = 0; at < l1.limit(); at += Long.BYTES) {
      copy.putLong(at, l1.getLong(at) & ~L2Entry.COPIED);
    }
    return copy;
  }
}
