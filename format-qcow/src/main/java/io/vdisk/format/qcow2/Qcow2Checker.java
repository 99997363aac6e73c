package io.vdisk.format.qcow2;

import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Counts every reference of an image's tables, compares with its refcounts, and looks at each
 * COPIED bit. Finds what {@code qemu-img check} finds, and counts it in the same way. Reads the
 * file itself, alone: nothing is cached and nothing changed. One thread.
 */
final class Qcow2Checker {
  /** Bits of an L1 entry that must be 0. */
  private static final long L1_RESERVED = 0x7f00_0000_0000_01ffL;

  /** Bits of an entry of the refcount table that must be 0. */
  private static final long TABLE_RESERVED = 0x1ff;

  private static final ByteBuffer NONE = ByteBuffer.allocate(0);

  private final HostFile file;
  private final Qcow2Header header;
  private final Progress progress;
  private final int clusterBits;
  private final long clusterSize;
  private final long fileSize;
  private final RefcountWidth width;
  private final References references = new References();
  private final CheckReport.Builder report = CheckReport.builder();
  private final ByteBuffer l1Table;
  private final long tableOffset;
  private final long tableBytes;
  private final ByteBuffer refcountTable;

  /** The L2 table that is being looked at. */
  private final ByteBuffer l2Table;

  /** The block that {@link #counted} looked at last. */
  private long lastBlock = -1;

  private @Nullable ByteBuffer lastCounts = NONE;

  private long allocated;
  private long compressed;
  private long fragmented;

  /** Where the cluster after the last one would follow it without a gap; 0: there is none. */
  private long following;

  Qcow2Checker(HostFile file, Qcow2Header header, Progress progress) throws IOException {
    this.file = file;
    this.header = header;
    this.progress = progress;
    this.clusterBits = header.clusterBits;
    this.clusterSize = header.clusterSize();
    this.fileSize = file.size();
    this.width = new RefcountWidth(header.refcountOrder);
    this.l1Table = read(header.l1TableOffset, (long) header.l1Entries * Long.BYTES);
    // A table that moved is where the file says, not where it was when it was opened.
    ByteBuffer pointer = read(Qcow2Header.REFCOUNT_TABLE_OFFSET.offset(), 16);
    this.tableOffset = pointer.getLong(0);
    long bytes = Integer.toUnsignedLong(pointer.getInt(8)) << clusterBits;
    this.tableBytes = Math.min(bytes, Qcow2Header.MAX_REFCOUNT_TABLE_BYTES);
    this.l2Table = ByteBuffer.allocate(header.clusterSize());
    this.refcountTable = read(tableOffset, tableBytes);
  }

  private ByteBuffer read(long offset, long length) throws IOException {
    return read(offset, ByteBuffer.allocate(Math.toIntExact(length)));
  }

  /** Fills a buffer with a table; what is not in the file is zero. */
  private ByteBuffer read(long offset, ByteBuffer bytes) throws IOException {
    bytes.clear();
    if (offset >= 0 && offset < fileSize) {
      file.readPadded(bytes, offset);
    } else {
      Zeroes.fill(bytes);
    }
    return bytes.clear();
  }

  CheckReport check() throws IOException {
    refer(0, clusterSize);
    referToMapping();
    referToRefcounts();
    long end = compareCounts();
    checkCopied();
    long total = header.virtualSize / clusterSize + (header.virtualSize % clusterSize == 0 ? 0 : 1);
    report.units(total, allocated, compressed, fragmented);
    return report.endOffset(end << clusterBits).build();
  }

  private void error(String message) {
    report.add(Severity.ERROR, message);
  }

  /** Counts a reference to each cluster of a range. */
  private void refer(long offset, long length) {
    if (length <= 0) {
      return;
    }
    // The last cluster may be there in part only.
    if (offset < 0
        || offset > Long.MAX_VALUE - length
        || offset + length - fileSize >= clusterSize) {
      error(
          "a reference to "
              + length
              + " bytes at "
              + offset
              + " is past the end of the file by a cluster or more");
      return;
    }
    long last = (offset + length - 1) >>> clusterBits;
    for (long cluster = offset >>> clusterBits; cluster <= last; cluster++) {
      if (references.get(cluster) >= width.max()) {
        error("cluster " + cluster + " is referred to more often than can be counted");
      } else {
        references.add(cluster);
      }
    }
  }

  private void referToMapping() throws IOException {
    refer(header.l1TableOffset, l1Table.limit());
    for (int i = 0; i < header.l1Entries; i++) {
      long entry = l1Table.getLong(i * Long.BYTES);
      if (entry == 0) {
        continue;
      }
      report(i);
      if ((entry & L1_RESERVED) != 0) {
        error("L1 entry " + i + " has reserved bits set: " + Long.toHexString(entry));
      }
      long table = entry & L2Entry.OFFSET;
      refer(table, clusterSize);
      if (table % clusterSize != 0) {
        error(
            "L1 entry " + i + " names an L2 table at " + table + ", which is not cluster aligned");
      }
      referToClusters(table, read(table, l2Table));
    }
  }

  private void report(long l1Index) {
    long done = Math.min(l1Index * header.l1Coverage(), header.virtualSize);
    if (!progress.report(done, header.virtualSize)) {
      throw new CancellationException("check of " + file.name());
    }
  }

  private void referToClusters(long tableAt, ByteBuffer table) {
    for (int i = 0; i < table.limit() / Long.BYTES; i++) {
      L2Entry entry = new L2Entry(table.getLong(i * Long.BYTES));
      if (entry.isCompressed()) {
        referToCompressed(tableAt, i, entry);
        continue;
      }
      if (entry.hasReservedBits()) {
        error(at(tableAt, i) + " has reserved bits set: " + Long.toHexString(entry.raw()));
      }
      if (entry.isAllocated()) {
        allocated++;
        fragmented += following != 0 && entry.offset() != following ? 1 : 0;
        following = entry.offset() + clusterSize;
        refer(entry.offset(), clusterSize);
        if (entry.offset() % clusterSize != 0) {
          error(at(tableAt, i) + " names offset " + entry.offset() + ", not cluster aligned");
        }
      }
    }
  }

  private static String at(long table, int i) {
    return "L2 entry " + i + " of the table at " + table;
  }

  private void referToCompressed(long tableAt, int i, L2Entry entry) {
    if (entry.isCopied()) {
      error(at(tableAt, i) + " is compressed and has COPIED set");
    }
    long offset = entry.compressedOffset(clusterBits);
    refer(offset, entry.compressedLength(clusterBits));
    allocated++;
    compressed++;
    fragmented++; // as QEMU counts: a compressed cluster is never in its place
  }

  private void referToRefcounts() {
    refer(tableOffset, tableBytes);
    for (int i = 0; i < refcountTable.limit() / Long.BYTES; i++) {
      long entry = refcountTable.getLong(i * Long.BYTES);
      long offset = entry & Refcounts.BLOCK_OFFSET;
      String name = "refcount table entry " + i;
      if ((entry & TABLE_RESERVED) != 0) {
        error(name + " has reserved bits set: " + Long.toHexString(entry));
        continue;
      }
      if (offset % clusterSize != 0) {
        error(name + " names a block at " + offset + ", which is not cluster aligned");
        continue;
      }
      if (offset == 0) {
        continue;
      }
      if (offset < 0 || offset >>> clusterBits >= fileClusters()) {
        error(name + " names a block at " + offset + ", which is outside the image");
        continue;
      }
      refer(offset, clusterSize);
      if (references.get(offset >>> clusterBits) != 1) {
        error(name + " names a block at " + offset + ", which others refer to, too");
      }
    }
  }

  private long fileClusters() {
    return fileSize / clusterSize + (fileSize % clusterSize == 0 ? 0 : 1);
  }

  /** Compares what is counted with what is referred to; behind the last cluster in use. */
  private long compareCounts() throws IOException {
    long clusters = Math.max(fileClusters(), references.end());
    long perBlock = width.in(clusterSize);
    long end = 0;
    @Nullable ByteBuffer counts = NONE;
    long countedBlock = -1;
    for (long cluster = 0; cluster < clusters; cluster++) {
      long block = cluster / perBlock;
      if (block != countedBlock) {
        counts = block(block);
        countedBlock = block;
      }
      long blockEnd = (block + 1) * perBlock;
      if (counts == null) {
        report.add(
            Severity.UNCHECKED,
            "the refcounts of clusters " + cluster + " to " + (blockEnd - 1) + " cannot be read");
        cluster = blockEnd - 1;
        continue;
      }
      if (counts.limit() == 0 && references.isEmptyChunk(cluster)) {
        cluster = Math.min(blockEnd, References.chunkEnd(cluster)) - 1;
        continue;
      }
      long counted = count(counts, cluster % perBlock);
      int referred = references.get(cluster);
      if (counted != 0 || referred != 0) {
        end = cluster + 1;
      }
      if (counted != referred) {
        boolean leaked = Long.compareUnsigned(counted, referred) > 0;
        report.add(
            leaked ? Severity.LEAK : Severity.ERROR,
            "cluster "
                + cluster
                + " is counted "
                + Long.toUnsignedString(counted)
                + " times and referred to "
                + referred
                + " times");
      }
    }
    return end;
  }

  private long count(ByteBuffer counts, long i) {
    if (counts.limit() == 0) {
      return 0;
    }
    int perWord = width.perWord();
    return width.get(counts.getLong((int) (i / perWord) * Long.BYTES), (int) (i % perWord));
  }

  /**
   * The counts of a block; empty if there is none.
   *
   * @return null if the refcount table's entry cannot be
   */
  private @Nullable ByteBuffer block(long block) throws IOException {
    long at = block * Long.BYTES;
    long offset = at < refcountTable.limit() ? refcountTable.getLong((int) at) : 0;
    offset &= Refcounts.BLOCK_OFFSET;
    if (offset < 0 || offset % clusterSize != 0) {
      return null;
    }
    return offset == 0 ? NONE : read(offset, clusterSize);
  }

  /** How often the cluster at an offset is counted; -1 if nobody can tell. */
  private long counted(long offset) throws IOException {
    long cluster = offset >>> clusterBits;
    long perBlock = width.in(clusterSize);
    if (lastBlock != cluster / perBlock) {
      lastBlock = cluster / perBlock;
      lastCounts = block(lastBlock);
    }
    return lastCounts == null ? -1 : count(lastCounts, cluster % perBlock);
  }

  /** COPIED says that a cluster is counted exactly once. */
  private void checkCopied() throws IOException {
    for (int i = 0; i < header.l1Entries; i++) {
      L2Entry named = new L2Entry(l1Table.getLong(i * Long.BYTES));
      if (named.offset() == 0) {
        continue;
      }
      if (counted(named.offset()) == -1) {
        continue; // as QEMU: neither the entry nor its table, which may be anything
      }
      checkCopied("L1 entry " + i, named);
      ByteBuffer table = read(named.offset(), l2Table);
      for (int j = 0; j < table.limit() / Long.BYTES; j++) {
        L2Entry entry = new L2Entry(table.getLong(j * Long.BYTES));
        if (entry.isAllocated()) {
          checkCopied(at(named.offset(), j), entry);
        }
      }
    }
  }

  private void checkCopied(String name, L2Entry entry) throws IOException {
    long counted = counted(entry.offset());
    if (counted != -1 && (counted == 1) != entry.isCopied()) {
      error(
          name
              + (entry.isCopied() ? " has" : " has not")
              + " COPIED, and its cluster at "
              + entry.offset()
              + " is counted "
              + Long.toUnsignedString(counted)
              + " times");
    }
  }
}
