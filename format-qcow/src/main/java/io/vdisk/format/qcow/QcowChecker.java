package io.vdisk.format.qcow;

import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CancellationException;

/**
 * Follows every entry of every table. An error is an entry that names what is not in the file, or
 * what something else has. Space that nothing names is no finding: the format counts none, and Xen
 * reserves it on purpose.
 *
 * <p>Takes a bit of memory for each cluster of the file, and one table. One thread, alone.
 */
final class QcowChecker {
  /** Bytes of the L1 table that are read at a time. */
  private static final int STEP = 64 << 10;

  private final HostFile file;
  private final QcowHeader header;
  private final ByteOrder l1Order;
  private final long fileSize;
  private final CheckReport.Builder report = CheckReport.builder();

  /** What clusters and tables take whole. */
  private final Units taken;

  /** What compressed clusters lie in, several to a unit. */
  private final Units shared;

  private long allocated;
  private long compressed;
  private long fragmented;
  private long previousEnd = -1;
  private long end;

  QcowChecker(HostFile file, QcowHeader header, ByteOrder l1Order) throws IOException {
    this.file = file;
    this.header = header;
    this.l1Order = l1Order;
    this.fileSize = file.size();
    this.taken = new Units(header.clusterBits());
    this.shared = new Units(header.clusterBits());
  }

  CheckReport check(Progress progress) throws IOException {
    taken.add(0, header.end());
    taken.add(header.l1TableOffset(), header.l1Bytes());
    end = Math.max(header.end(), header.l1TableOffset() + header.l1Bytes());
    ByteBuffer entries = ByteBuffer.allocate(STEP).order(l1Order);
    for (long table = 0; table < header.l1Entries(); ) {
      entries.clear();
      entries.limit((int) Math.min(STEP, header.l1Bytes() - table * Long.BYTES));
      file.readFully(entries, header.l1TableOffset() + table * Long.BYTES);
      for (entries.flip(); entries.hasRemaining(); table++) {
        long entry = entries.getLong();
        if (entry != 0) {
          checkTable(table, entry);
        }
        if (!progress.report((table + 1) * Long.BYTES, header.l1Bytes())) {
          throw new CancellationException("check of " + file.name());
        }
      }
    }
    long total = ((header.size() - 1) >>> header.clusterBits()) + 1;
    return report.units(total, allocated, compressed, fragmented).endOffset(end).build();
  }

  private void checkTable(long table, long offset) throws IOException {
    if (!take(offset, header.l2Bytes(), header.l2Bytes(), "L2 table " + table)) {
      return;
    }
    ByteBuffer entries = ByteBuffer.allocate(header.l2Bytes());
    file.readFully(entries, offset);
    entries.flip();
    long first = table << header.l2Bits();
    for (long cluster = first; entries.hasRemaining(); cluster++) {
      L2Entry entry = new L2Entry(entries.getLong());
      if (entry.isCompressed()) {
        checkCompressed(cluster, entry);
      } else if (entry.isStored()) {
        checkStored(cluster, entry);
      }
    }
  }

  private void checkStored(long cluster, L2Entry entry) {
    allocated++;
    if (previousEnd >= 0 && entry.raw() != previousEnd) {
      fragmented++;
    }
    previousEnd = entry.raw() + header.clusterSize();
    // QEMU and Xen leave the rest of the last cluster to the reader.
    take(entry.raw(), header.clusterSize(), 1, describe(cluster));
  }

  private void checkCompressed(long cluster, L2Entry entry) {
    allocated++;
    compressed++;
    long offset = entry.compressedOffset(header.clusterBits());
    int size = entry.compressedSize(header.clusterBits());
    if (size == 0 || offset < header.end() || offset > fileSize - size) {
      error(describe(cluster) + " is compressed at " + offset + ", outside the file");
      return;
    }
    if (taken.intersects(offset, size)) {
      error(describe(cluster) + " is compressed at " + offset + ", which something else has");
    }
    shared.add(offset, size);
    end = Math.max(end, offset + size);
  }

  /**
   * Notes the place of a cluster or table; false if it cannot be there.
   *
   * @param least how much of it must lie in the file
   */
  private boolean take(long offset, long bytes, long least, String what) {
    if (offset < 0 || offset % ClusterTables.SECTOR != 0) {
      error(what + String.format(" is at 0x%x, which is no multiple of 512", offset));
      return false;
    }
    if (offset > fileSize - least) {
      error(what + " is at " + offset + ", past the end of the file");
      return false;
    }
    end = Math.max(end, offset + bytes);
    if (offset % header.clusterSize() != 0) {
      report.add(Severity.WARNING, file.name() + ": " + what + " is at " + offset + ", unaligned");
      return true;
    }
    if (taken.intersects(offset, bytes) || shared.intersects(offset, bytes)) {
      error(what + " is at " + offset + ", which something else has");
    }
    taken.add(offset, bytes);
    return true;
  }

  private String describe(long cluster) {
    return "the cluster of guest offset " + (cluster << header.clusterBits());
  }

  private void error(String message) {
    report.add(Severity.ERROR, file.name() + ": " + message);
  }

  /** A set of units of the file, of a cluster's size. */
  private static final class Units {
    /** Units in one bit set: what has an {@code int} for an index holds no file of 1 TiB. */
    private static final int REGION_BITS = 27;

    private final int unitBits;
    private final List<BitSet> regions = new ArrayList<>();

    Units(int unitBits) {
      this.unitBits = unitBits;
    }

    void add(long offset, long bytes) {
      for (long unit = offset >>> unitBits; unit <= (offset + bytes - 1) >>> unitBits; unit++) {
        int region = (int) (unit >>> REGION_BITS);
        while (regions.size() <= region) {
          regions.add(new BitSet());
        }
        regions.get(region).set(within(unit));
      }
    }

    boolean intersects(long offset, long bytes) {
      for (long unit = offset >>> unitBits; unit <= (offset + bytes - 1) >>> unitBits; unit++) {
        int region = (int) (unit >>> REGION_BITS);
        if (region < regions.size() && regions.get(region).get(within(unit))) {
          return true;
        }
      }
      return false;
    }

    private static int within(long unit) {
      return (int) (unit & ((1 << REGION_BITS) - 1));
    }
  }
}
