package io.vdisk.format.qcow2;

import java.io.IOException;

/**
 * Mends L2 entries that read as zero and name a place where no cluster can be: they read as zero
 * afterwards, too, and name nothing. One thread.
 */
final class MisplacedZeroes {
  private static final int SUBCLUSTERS = Integer.SIZE;
  private static final long ALL_ZERO = -1L << SUBCLUSTERS;

  private final Qcow2Checker checked;
  private final CheckedImage image;
  private final L2Table table;
  private boolean hasWritten;

  MisplacedZeroes(Qcow2Checker checked) {
    this.checked = checked;
    this.image = checked.image;
    this.table = new L2Table(image);
  }

  /**
   * Mends all that lie in tables that are nothing else, without flushing.
   *
   * @return whether there were any
   */
  boolean mend() throws IOException {
    checked.l1.eachTable(this::mend);
    return hasWritten;
  }

  private void mend(long offset, long active, long kept) throws IOException {
    if (!image.isAligned(offset)
        || offset >= image.fileSize
        || !checked.counter.isReferredTo(image.cluster(offset), active + kept)) {
      return;
    }
    table.read(offset);
    boolean isMended = false;
    for (int i = 0; i < table.entries(); i++) {
      if (table.isAllocated(i)
          && !image.isAligned(table.entry(i).offset())
          && !table.containsData(i)) {
        long bitmap = table.bitmap(i);
        boolean isExtended = image.header.isExtended();
        L2Entry entry = isExtended ? new L2Entry(0) : L2Entry.zero();
        table.set(i, entry, (bitmap | bitmap << SUBCLUSTERS) & ALL_ZERO);
        isMended = true;
      }
    }
    if (isMended) {
      table.write();
      hasWritten = true;
    }
  }
}
