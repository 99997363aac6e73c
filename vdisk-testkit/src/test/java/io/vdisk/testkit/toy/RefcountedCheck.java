package io.vdisk.testkit.toy;

import static io.vdisk.testkit.toy.RefcountedFormat.CLUSTER;
import static io.vdisk.testkit.toy.RefcountedFormat.PER_CLUSTER;

import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/** Counts what the tables refer to, and compares with the refcounts on disk. */
final class RefcountedCheck {
  private final ToyBytes bytes;
  private final long virtualSize;
  private final CheckReport.Builder report;
  private final Map<Long, Long> references = new TreeMap<>();
  private long allocated;

  RefcountedCheck(HostFile file, long virtualSize, CheckReport.Builder report) throws IOException {
    this.bytes = new ToyBytes(file);
    this.virtualSize = virtualSize;
    this.report = report;
  }

  private long headerWord(int i) {
    return bytes.word(ToyHeader.WORDS_OFFSET, i);
  }

  void run() {
    refer("header", 0, 1);
    long l1Entries = headerWord(RefcountedFormat.L1_ENTRIES);
    long l1 = headerWord(RefcountedFormat.L1_OFFSET);
    refer("L1 table", l1, l1Entries);
    for (int i = 0; i < l1Entries; i++) {
      long table = bytes.word(l1, i);
      if (table != 0 && refer("L2 table " + i, table, 1)) {
        checkEntries(table);
      }
    }
    checkCounts();
    report.units(ToyFormat.ceilDiv(virtualSize, CLUSTER), allocated, 0, 0);
  }

  private void checkEntries(long table) {
    for (int i = 0; i < PER_CLUSTER; i++) {
      ToyEntry entry = new ToyEntry(bytes.word(table, i));
      if (!entry.isValid() || entry.isEncoded()) {
        report.add(Severity.ERROR, "L2 table at " + table + ", entry " + i + ": " + entry);
      } else if (entry.isAllocated() && refer("L2 entry " + i, entry.offset(), 1)) {
        allocated++;
      }
    }
  }

  private void checkCounts() {
    long table = headerWord(RefcountedFormat.TABLE_OFFSET);
    long entries = headerWord(RefcountedFormat.TABLE_ENTRIES);
    if (entries < 1 || entries > RefcountedFormat.MAX_TABLE_ENTRIES) {
      report.add(Severity.ERROR, "a refcount table of " + entries + " entries");
      return;
    }
    refer("refcount table", table, entries);
    Map<Long, Long> counted = new TreeMap<>();
    for (int block = 0; block < entries; block++) {
      long offset = bytes.word(table, block);
      if (offset != 0 && refer("refcount block " + block, offset, 1)) {
        for (int i = 0; i < PER_CLUSTER; i++) {
          counted.put(((long) block * PER_CLUSTER + i) * CLUSTER, bytes.word(offset, i));
        }
      }
    }
    references.forEach(
        (offset, count) -> {
          if (counted.getOrDefault(offset, 0L) < count) {
            report.add(
                Severity.ERROR,
                "cluster at " + offset + " has " + count + " references, and a lower count");
          }
          if (count > 1) {
            report.add(Severity.ERROR, "cluster at " + offset + " is used twice");
          }
        });
    counted.forEach(
        (offset, count) -> {
          if (count > references.getOrDefault(offset, 0L)) {
            report.add(Severity.LEAK, "cluster at " + offset + " is counted " + count + " times");
          }
        });
  }

  /** Counts a reference to each cluster of a table; false if it is not there. */
  private boolean refer(String what, long offset, long entries) {
    if (offset % CLUSTER != 0 || !bytes.has(offset)) {
      report.add(Severity.ERROR, what + " is at " + offset + ", which is not in the file");
      return false;
    }
    for (long at = offset; at < offset + entries * Long.BYTES; at += CLUSTER) {
      references.merge(at, 1L, Long::sum);
    }
    return true;
  }
}
