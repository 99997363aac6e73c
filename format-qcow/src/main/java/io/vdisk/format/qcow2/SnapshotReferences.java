package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Reads the snapshot table, counts what it takes, and says which L1 tables there are. One thread.
 */
final class SnapshotReferences {
  /** From here on a version 3 image's entries are complete. */
  private static final int COMPLETE_VERSION = 3;

  private final CheckedImage image;
  private final Findings findings;
  private final long offset;
  private final long count;

  SnapshotReferences(CheckedImage image, Findings findings) throws IOException {
    this.image = image;
    this.findings = findings;
    // As the file says: a snapshot may have been taken since the header was read.
    ByteBuffer pointer = image.read(Qcow2Header.NB_SNAPSHOTS.offset(), 12);
    this.count = Integer.toUnsignedLong(pointer.getInt(0));
    this.offset = pointer.getLong(4);
  }

  /**
   * Reads what can be had of the table.
   *
   * @throws CorruptImageException if the header names none that can be
   */
  private SnapshotTable salvage() throws IOException {
    if (offset < 0 || !image.isAligned(offset)) {
      throw new CorruptImageException(
          image.file.name()
              + ": "
              + count
              + " snapshots in a table at "
              + Long.toUnsignedString(offset));
    }
    return SnapshotTable.salvage(image.file, offset, count, image.header.virtualSize);
  }

  /**
   * Reads the table and looks at its entries.
   *
   * @param isSalvage what is beyond the limits is a fault that a repair mends
   * @throws CorruptImageException if not all of it can be used
   */
  SnapshotTable read(boolean isSalvage) throws IOException {
    SnapshotTable table = salvage();
    long beyond = table.dropped() + table.shortened();
    if (beyond > 0 && isSalvage) {
      findings.error(beyond, () -> beyond + " snapshots are beyond the limits of their table");
    } else if (beyond > 0) {
      throw new CorruptImageException(
          image.file.name()
              + ": the table of "
              + count
              + " snapshots at "
              + offset
              + " is beyond its limits");
    }
    for (SnapshotEntry entry : table.entries()) {
      if (isIncomplete(entry)) {
        findings.error(() -> name(entry) + " has less extra data than version 3 must have");
      }
    }
    return table;
  }

  /** Whether the table has to be written again, complete and without what is too much. */
  boolean isToBeRewritten(SnapshotTable table) {
    return table.shortened() > 0 || table.entries().stream().anyMatch(this::isIncomplete);
  }

  private boolean isIncomplete(SnapshotEntry entry) {
    return image.header.version >= COMPLETE_VERSION && !entry.isComplete();
  }

  /** Counts table and L1 tables, and adds these to those of the image. */
  void count(SnapshotTable table, L1Tables l1, ReferenceCounter counter) throws IOException {
    int snapshots = table.entries().size();
    if (image.header.hasDataFile() && snapshots > 0) {
      findings.error(() -> snapshots + " snapshots of an image with a data file");
    }
    Ranges l1Clusters = new Ranges();
    for (SnapshotEntry entry : table.entries()) {
      if (!image.isAligned(entry.l1Offset()) || entry.l1Bytes() > Qcow2Header.MAX_L1_BYTES) {
        findings.error(
            () ->
                name(entry)
                    + " has an L1 table of "
                    + entry.l1Entries()
                    + " entries at "
                    + Long.toUnsignedString(entry.l1Offset()));
        continue;
      }
      counter.gather(entry.l1Offset(), entry.l1Bytes(), l1Clusters);
      if (entry.l1Offset() >= 0 && entry.l1Offset() < image.fileSize) {
        l1.addSnapshot(entry);
      }
    }
    counter.referToGathered(l1Clusters);
    counter.refer(offset, table.bytes());
  }

  private static String name(SnapshotEntry entry) {
    return "snapshot " + entry.id() + " (" + entry.name() + ")";
  }
}
