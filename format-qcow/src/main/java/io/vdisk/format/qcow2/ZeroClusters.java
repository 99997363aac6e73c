package io.vdisk.format.qcow2;

import io.vdisk.format.qcow2.Refcounts.Space;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Makes every cluster that is recorded as zero one that version 2 knows: not there, where there is
 * no backing file, else stored zeroes. In the tables of snapshots, too; standard entries alone. The
 * caller is alone on the image. One thread, used once.
 */
final class ZeroClusters {
  private final Alterations alterations;
  private final Metadata metadata;
  private final Qcow2Header header;
  private final CheckedImage image;
  private final L2Table table;
  private final Set<Long> seen = new HashSet<>();

  /** Clusters that a table no longer names, and how many references that were. */
  private final List<long[]> dropped = new ArrayList<>();

  ZeroClusters(Alterations alterations) throws IOException {
    this.alterations = alterations;
    this.metadata = alterations.metadata;
    this.header = metadata.header();
    this.image = new CheckedImage(metadata.file, header);
    this.table = new L2Table(image);
  }

  void expand() throws IOException {
    alterations.requireSound();
    expand(header.l1TableOffset, header.l1Entries);
    for (SnapshotEntry snapshot : SnapshotTable.read(metadata.file, header).entries()) {
      snapshot.checkL1(metadata.file, header);
      expand(snapshot.l1Offset(), snapshot.l1Entries());
    }
  }

  private void expand(long l1Offset, long l1Entries) throws IOException {
    ByteBuffer l1 = image.read(l1Offset, l1Entries * Long.BYTES);
    for (int at = 0; at < l1.limit(); at += Long.BYTES) {
      long named = new L2Entry(l1.getLong(at)).offset();
      if (named != 0 && seen.add(named)) {
        expandTable(named);
      }
    }
  }

  private void expandTable(long offset) throws IOException {
    table.read(offset);
    long references = count(image.cluster(offset)); // every path to the table counts its clusters
    boolean changed = false;
    for (int i = 0; i < table.entries(); i++) {
      L2Entry entry = table.entry(i);
      if (entry.isZero()) {
        table.set(i, new L2Entry(expanded(entry, references)), 0);
        changed = true;
      }
    }
    if (changed) {
      alterations.flush(); // zeroes and counts before the table that names them
      table.write();
      metadata.file.flush();
    }
    for (long[] drop : dropped) {
      for (long n = 0; n < drop[1]; n++) {
        metadata.refcounts().decrementAll(drop[0], 1);
      }
    }
    dropped.clear();
  }

  private long expanded(L2Entry entry, long references) throws IOException {
    if (entry.isAllocated()) {
      long cluster = image.cluster(entry.offset());
      if (count(cluster) == references) {
        writeZeroes(entry.offset());
        return entry.withoutZero();
      }
      dropped.add(new long[] {cluster, references});
    }
    if (header.backingName.isEmpty()) {
      return 0;
    }
    Space space = metadata.refcounts().takeRun(image.clusterSize);
    for (long n = 1; n < references; n++) {
      long unused = metadata.refcounts().incrementAll(image.cluster(space.offset()), 1);
    }
    writeZeroes(space.offset());
    return references == 1 ? L2Entry.owned(space.offset()).raw() : space.offset();
  }

  private long count(long cluster) throws IOException {
    return metadata.cache.locked(hold -> metadata.refcounts().count(hold, cluster));
  }

  private void writeZeroes(long offset) throws IOException {
    metadata.file.write(ByteBuffer.allocate((int) image.clusterSize), offset);
  }
}
