package io.vdisk.format.qcow2;

import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Resizing;
import io.vdisk.format.qcow2.Refcounts.Space;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Another size of the disk: the header says so in one write, with an L1 table that is large enough.
 * What lies behind a nearer end is given back after that. Where the disk grows, what shows there is
 * zeroed by the engine.
 */
final class Qcow2Resizing implements Resizing {
  private static final int SECTOR = 512;

  private final Alterations alterations;
  private final Metadata metadata;
  private final ClusterWriter clusters;

  Qcow2Resizing(Alterations alterations, ClusterWriter clusters) {
    this.alterations = alterations;
    this.metadata = alterations.metadata;
    this.clusters = clusters;
  }

  @Override
  public void resize(long virtualSize) throws IOException {
    if (virtualSize < 0 || virtualSize > Long.MAX_VALUE - SECTOR) {
      throw new IllegalArgumentException("a virtual size of " + virtualSize);
    }
    long size = (virtualSize + SECTOR - 1) & -SECTOR;
    alterations.alter(() -> resizeTo(size));
  }

  private void resizeTo(long size) throws IOException {
    Qcow2Header header = metadata.header();
    long entries = header.l1EntriesFor(size);
    if (entries > Qcow2Header.MAX_L1_BYTES / Long.BYTES) {
      throw new UnsupportedImageException(
          metadata.file.name()
              + ": "
              + size
              + " bytes are too many for clusters of "
              + header.clusterSize());
    }
    if (header.version < 3 && header.snapshots > 0) {
      throw new UnsupportedImageException(
          metadata.file.name() + ": version 2 does not know the sizes of its snapshots' disks");
    }
    if (size < header.virtualSize) {
      alterations.requireSound();
    }
    if (header.hasDataFile() && size > metadata.dataFile.size()) {
      metadata.dataFile.resize(size);
    }
    HeaderUpdate update = new HeaderUpdate(metadata.file, header).set(Qcow2Header.SIZE, size);
    boolean moves = entries > header.l1Entries;
    if (moves) {
      Space space = metadata.refcounts().takeRun(entries * Long.BYTES);
      ByteBuffer table = ByteBuffer.allocate(Math.toIntExact(entries * Long.BYTES));
      ByteBuffer old = table.duplicate().limit(header.l1Entries * Long.BYTES);
      metadata.file.readFully(old, header.l1TableOffset);
      metadata.file.write(table, space.offset());
      update.set(Qcow2Header.L1_SIZE, entries).set(Qcow2Header.L1_TABLE_OFFSET, space.offset());
    }
    if (header.bitmaps.isPresent()) {
      Qcow2Bitmaps.resize(metadata, size, update);
    } else {
      alterations.flush();
      update.write();
    }
    if (moves) {
      metadata.refcounts().free(header.l1TableOffset, (long) header.l1Entries * Long.BYTES);
    }
    if (size < header.virtualSize) {
      forget(header, size);
    }
  }

  /** Gives back what lies behind the end, first the tail of its table, then whole tables. */
  private void forget(Qcow2Header header, long size) throws IOException {
    long coverage = header.l1Coverage();
    long first = header.l1EntriesFor(size);
    long clusterSize = header.clusterSize();
    long from = (size + clusterSize - 1) / clusterSize * clusterSize;
    long to = Math.min(first * coverage, header.virtualSize);
    while (from < to) {
      long done = clusters.zero(from, to - from, false);
      if (done == 0) {
        break; // version 2 over a backing file cannot: it stays, unseen
      }
      from += done;
    }
    if (header.hasDataFile()) {
      metadata.dataFile.resize(Math.min(metadata.dataFile.size(), size));
    }
    long l1Offset = header.l1TableOffset + first * Long.BYTES;
    long gone = header.l1Entries - first;
    alterations.flush();
    if (gone > 0) {
      ClusterTree tree = new ClusterTree(metadata, l1Offset, gone);
      metadata.file.write(ByteBuffer.allocate(Math.toIntExact(gone * Long.BYTES)), l1Offset);
      metadata.file.flush();
      tree.remove();
    }
  }
}
