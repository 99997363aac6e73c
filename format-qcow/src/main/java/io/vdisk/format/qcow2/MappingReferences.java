package io.vdisk.format.qcow2;

import io.vdisk.Progress;
import java.io.IOException;
import java.util.concurrent.CancellationException;

/**
 * Counts what the L1 tables and their L2 tables refer to, and looks at their entries. Each L2 table
 * is looked at once, and what it says counts as often as it is named. One thread.
 */
final class MappingReferences {
  /** Bits of an L1 entry that must be 0. */
  private static final long L1_RESERVED = 0x7f00_0000_0000_01ffL;

  private final CheckedImage image;
  private final L1Tables l1;
  private final ReferenceCounter counter;
  private final Findings findings;
  private final Progress progress;
  private final L2Table table;

  private long tables;

  /** Clusters that the active table has, and how they lie. */
  private long allocated;

  private long compressed;
  private long fragmented;

  /**
   * Entries that reads as zero and name a place where no cluster can be: a repair takes that out.
   */
  private long misplacedZeroes;

  /** Where the cluster after the last one would follow it without a gap; 0: there is none. */
  private long following;

  /** How often the table is named, by all L1 tables and by the active one. */
  private long times;

  private long activeTimes;

  MappingReferences(
      CheckedImage image,
      L1Tables l1,
      ReferenceCounter counter,
      Findings findings,
      Progress progress) {
    this.image = image;
    this.l1 = l1;
    this.counter = counter;
    this.findings = findings;
    this.progress = progress;
    this.table = new L2Table(image);
  }

  /** Counts. */
  void count() throws IOException {
    l1.each(
        (at, entry, uses, isActive) -> {
          if ((entry.raw() & L1_RESERVED) != 0) {
            findings.error(
                uses,
                () ->
                    l1.name(at, isActive)
                        + " has reserved bits set: "
                        + Long.toHexString(entry.raw()));
          }
        });
    l1.eachTable(this::referToTable);
  }

  long allocated() {
    return allocated;
  }

  long compressed() {
    return compressed;
  }

  long fragmented() {
    return fragmented;
  }

  long misplacedZeroes() {
    return misplacedZeroes;
  }

  private void referToTable(long offset, long active, long kept) throws IOException {
    report();
    times = active + kept;
    activeTimes = active;
    counter.refer(offset, image.clusterSize, times);
    if (!image.isAligned(offset)) {
      findings.error(
          times, () -> "an L1 entry names an L2 table at " + offset + ", not cluster aligned");
    }
    table.read(offset);
    following = 0;
    for (int i = 0; i < table.entries(); ) {
      int run = table.plainRun(i);
      if (run > 0) {
        referToRun(table.entry(i).offset(), run);
        i += run;
      } else {
        if (!table.isEmpty(i)) {
          referToCluster(i);
        }
        i++;
      }
    }
  }

  private void report() {
    long size = image.header.virtualSize;
    long done = Math.min(tables++ * image.header.l1Coverage(), size);
    if (!progress.report(done, size)) {
      throw new CancellationException("check of " + image.file.name());
    }
  }

  private void referToRun(long offset, int clusters) {
    countUnits(offset, clusters);
    if (!image.header.hasDataFile()) {
      counter.referToRun(offset, clusters, times);
    }
  }

  private void countUnits(long offset, long clusters) {
    allocated += activeTimes * clusters;
    fragmented += following != 0 && offset != following ? activeTimes : 0;
    following = offset + clusters * image.clusterSize;
  }

  private void referToCluster(int i) {
    L2Entry entry = table.entry(i);
    if (entry.isCompressed()) {
      referToCompressed(i, entry);
      return;
    }
    if (entry.hasReservedBits()) {
      error(i, " has reserved bits set: " + Long.toHexString(entry.raw()));
    }
    if (table.isAllocated(i)) {
      referToAllocated(i, entry.offset());
    } else if (table.hasAllocatedSubclusters(i)) {
      error(i, " has no cluster, and allocated subclusters");
    }
  }

  private void referToAllocated(int i, long offset) {
    if (table.hasContradiction(i)) {
      error(i, " has subclusters that are allocated and zero at once");
    }
    if (!image.isAligned(offset)) {
      misplacedZeroes += table.containsData(i) ? 0 : times;
      error(i, " names offset " + offset + ", not cluster aligned");
    }
    countUnits(offset, 1);
    if (!image.header.hasDataFile()) {
      counter.refer(offset, image.clusterSize, times);
    }
  }

  private void referToCompressed(int i, L2Entry entry) {
    if (entry.isCopied()) {
      error(i, " is compressed and has COPIED set");
    }
    if (image.header.hasDataFile()) {
      error(i, " is compressed, and clusters lie in a data file");
      return;
    }
    if (table.bitmap(i) != 0) {
      error(i, " is compressed and has subclusters");
      return;
    }
    int bits = image.clusterBits;
    counter.refer(entry.compressedOffset(bits), entry.compressedLength(bits), times);
    allocated += activeTimes;
    compressed += activeTimes;
    fragmented += activeTimes; // as QEMU counts: a compressed cluster is never in its place
  }

  private void error(int i, String what) {
    findings.error(times, () -> table.name(i) + what);
  }
}
