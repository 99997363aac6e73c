package io.vdisk.format.qcow2;

import java.io.IOException;

/**
 * Looks whether COPIED says of a cluster that it is counted exactly once, in the active tables,
 * where it must. One thread.
 */
final class CopiedMarks {
  private final CheckedImage image;
  private final L1Tables l1;
  private final StoredRefcounts stored;
  private final References references;
  private final Findings findings;
  private final L2Table table;

  CopiedMarks(
      CheckedImage image,
      L1Tables l1,
      StoredRefcounts stored,
      References references,
      Findings findings) {
    this.image = image;
    this.l1 = l1;
    this.stored = stored;
    this.references = references;
    this.findings = findings;
    this.table = new L2Table(image);
  }

  /** Looks at all. */
  void check() throws IOException {
    TableUses uses = new TableUses((offset, active, kept) -> checkTable(offset, active));
    l1.eachActive(
        (at, entry, times, isActive) -> {
          if (entry.offset() == 0 || stored.counted(entry.offset()) == -1) {
            return; // as QEMU: neither the entry nor its table, which may be anything
          }
          if (!isRight(entry)) {
            error(1, l1.name(at, true), entry);
          }
          uses.add(entry.offset(), 1, true);
        });
    uses.handOn();
  }

  private void checkTable(long offset, long times) throws IOException {
    table.read(offset);
    for (int i = 0; i < table.entries(); ) {
      L2Entry entry = table.entry(i);
      int run = entry.isCopied() && !image.header.hasDataFile() ? table.plainRun(i) : 0;
      int right = (int) references.countConfirmed(image.cluster(entry.offset()), run);
      if (right == 0 && table.isAllocated(i) && !isDataRight(entry)) {
        error(times, table.name(i), entry);
      }
      i += Math.max(1, right);
    }
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
