package io.vdisk.format.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Looks whether COPIED says of a cluster that it is counted exactly once, in the active tables,
 * where it must, and mends it. One thread.
 */
final class CopiedMarks {
  private final CheckedImage image;
  private final L1Tables l1;
  private final StoredRefcounts stored;
  private final ReferenceCounter counter;
  private final References references;
  private final Findings findings;
  private final L2Table table;
  private final boolean mends;
  private boolean hasWritten;

  private CopiedMarks(Qcow2Checker checked, StoredRefcounts stored, boolean mends) {
    this.image = checked.image;
    this.l1 = checked.l1;
    this.stored = stored;
    this.counter = checked.counter;
    this.references = checked.counter.references;
    this.findings = checked.findings;
    this.table = new L2Table(image);
    this.mends = mends;
  }

  /** Finds those that are wrong. */
  static void check(Qcow2Checker checked) throws IOException {
    new CopiedMarks(checked, checked.stored, false).go();
  }

  /**
   * Mends those that are wrong, without flushing. A table that something else refers to, too, is
   * left alone: to somebody it is data.
   *
   * @param corrected the refcounts as they are now
   * @return whether any was wrong and is right
   */
  static boolean mend(Qcow2Checker checked, StoredRefcounts corrected) throws IOException {
    CopiedMarks marks = new CopiedMarks(checked, corrected, true);
    marks.go();
    return marks.hasWritten;
  }

  private void go() throws IOException {
    TableUses uses = new TableUses(this::table);
    l1.eachActive((at, entry, times, isActive) -> entry(at, entry, uses));
    if (mends) {
      l1.eachKept((at, entry, times, isActive) -> uses.add(entry.offset(), times, false));
    }
    uses.handOn();
  }

  private void entry(long at, L2Entry entry, TableUses uses) throws IOException {
    if (entry.offset() == 0 || stored.counted(entry.offset()) == -1) {
      return; // as QEMU: neither the entry nor its table, which may be anything
    }
    if (!isRight(entry)) {
      if (mends && counter.isReferredTo(image.cluster(at), 1)) {
        image.file.write(
            ByteBuffer.allocate(Long.BYTES).putLong(0, entry.raw() ^ L2Entry.COPIED), at);
        hasWritten = true;
      } else if (!mends) {
        error(1, l1.name(at, true), entry);
      }
    }
    uses.add(entry.offset(), 1, true);
  }

  private void table(long offset, long active, long kept) throws IOException {
    if (active == 0 || (mends && !isTableAlone(offset, active + kept))) {
      return;
    }
    table.read(offset);
    boolean isMended = false;
    for (int i = 0; i < table.entries(); ) {
      L2Entry entry = table.entry(i);
      int run = entry.isCopied() && !image.header.hasDataFile() ? table.plainRun(i) : 0;
      int right = (int) references.countConfirmed(image.cluster(entry.offset()), run);
      if (right == 0 && table.isAllocated(i) && !isDataRight(entry)) {
        if (mends) {
          table.set(i, new L2Entry(entry.raw() ^ L2Entry.COPIED), table.bitmap(i));
          isMended = true;
        } else {
          error(active, table.name(i), entry);
        }
      }
      i += Math.max(1, right);
    }
    if (isMended) {
      table.write();
      hasWritten = true;
    }
  }

  private boolean isTableAlone(long offset, long uses) {
    return image.isAligned(offset)
        && offset < image.fileSize
        && counter.isReferredTo(image.cluster(offset), uses);
  }

  /** Clusters of a data file belong to nobody else. */
  private boolean isDataRight(L2Entry entry) throws IOException {
    return image.header.hasDataFile() ? entry.isCopied() : isRight(entry);
  }

  /** Also true where nobody can tell. */
  private boolean isRight(L2Entry entry) throws IOException {
    long counted = stored.counted(entry.offset());
    return counted == -1 || (counted == 1) == entry.isCopied();
  }

  private void error(long times, String name, L2Entry entry) throws IOException {
    String counted =
        image.header.hasDataFile()
            ? " lies in the data file"
            : " is counted " + Long.toUnsignedString(stored.counted(entry.offset())) + " times";
    findings.error(
        times,
        () ->
            name
                + (entry.isCopied() ? " has" : " has not")
                + " COPIED, and its cluster at "
                + entry.offset()
                + counted);
  }
}
