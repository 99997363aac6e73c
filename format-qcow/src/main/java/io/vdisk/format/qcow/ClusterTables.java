package io.vdisk.format.qcow;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.NoSpaceException;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableKind;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * The L1 table and the L2 tables of one image, and where its used space ends. Thread-safe.
 *
 * <p>It keeps: whatever an entry names lies behind the header, beside the L1 table, and before the
 * end; entries that say otherwise are not followed.
 */
final class ClusterTables {
  /** What stored clusters and tables begin at a multiple of, whatever the cluster size. */
  static final int SECTOR = 512;

  private final HostFile file;
  private final QcowHeader header;
  private final int clusterBits;
  private final int clusterSize;
  private final TableCache cache;
  private final TableKind l1;
  private final TableKind l2;
  private final int sliceBytes;
  private final int slicesPerTable;
  private final int entriesPerSlice;

  /** Where the next cluster or table goes, at the earliest. Changed under the metadata lock. */
  private volatile long end;

  ClusterTables(HostFile file, QcowHeader header, ByteOrder l1Order, long end, CacheBudget budget) {
    this.file = file;
    this.header = header;
    this.clusterBits = header.clusterBits();
    this.clusterSize = header.clusterSize();
    this.end = roundUp(end, clusterSize);
    this.sliceBytes = Math.min(TableKind.MAX_SLICE, header.l2Bytes());
    this.slicesPerTable = header.l2Bytes() / sliceBytes;
    this.entriesPerSlice = sliceBytes / Long.BYTES;
    this.cache = new TableCache(budget);
    this.l1 = cache.add(new L1Kind(l1Order));
    this.l2 = cache.add(new L2Kind());
  }

  TableCache cache() {
    return cache;
  }

  /** Slices that a new L2 table has, and the one that names it. */
  int slicesOfNewTable() {
    return slicesPerTable + 1;
  }

  /** The longest run that one slice in memory shows. */
  Mapping map(long offset, long length) throws IOException {
    long cluster = offset >>> clusterBits;
    Slice names = Objects.requireNonNull(cache.load(l1, l1Slice(cluster)));
    if (names.word(l1Index(cluster)) == 0) {
      return Mapping.backing(Math.min(length, unnamedEnd(names, cluster, length) - offset));
    }
    Slice entries = Objects.requireNonNull(cache.load(l2, l2Slice(cluster)));
    L2Entry first = new L2Entry(entries.word(l2Index(cluster)));
    int inCluster = (int) (offset & (clusterSize - 1));
    if (first.isCompressed()) {
      return encoded(first, cluster, Math.min(length, clusterSize - inCluster));
    }
    long covered = (inCluster + length + clusterSize - 1) >>> clusterBits;
    int wanted = (int) Math.min(entriesPerSlice - l2Index(cluster), covered);
    int clusters = contiguous(entries, l2Index(cluster), first, wanted);
    long run = Math.min(length, ((long) clusters << clusterBits) - inCluster);
    if (first.isUnallocated()) {
      return Mapping.backing(run);
    }
    if (!isInside(first.raw(), (long) clusters << clusterBits)) {
      throw corrupt("L2 entry", cluster, first.raw());
    }
    return Mapping.stored(file, first.raw() + inCluster, run, true);
  }

  /** Where the run of L2 tables ends that do not exist; a guest offset. */
  private long unnamedEnd(Slice names, long cluster, long length) {
    int tableBits = clusterBits + header.l2Bits();
    long table = cluster >>> header.l2Bits();
    int at = l1Index(cluster);
    long tables = 1;
    while (at + tables < names.length()
        && tables << tableBits < length + (1L << tableBits)
        && names.word((int) (at + tables)) == 0) {
      tables++;
    }
    return (table + tables) << tableBits;
  }

  /** How many clusters from {@code first} on are like it and, if stored, follow each other. */
  private int contiguous(Slice entries, int at, L2Entry first, int most) {
    int step = first.isUnallocated() ? 0 : clusterSize;
    int clusters = 1;
    while (clusters < most && entries.word(at + clusters) == first.raw() + (long) clusters * step) {
      clusters++;
    }
    return clusters;
  }

  private Mapping encoded(L2Entry entry, long cluster, long length) throws IOException {
    long at = entry.compressedOffset(clusterBits);
    int size = entry.compressedSize(clusterBits);
    if (size == 0 || at < header.end() || at > end - size) {
      throw corrupt("L2 entry", cluster, entry.raw());
    }
    return Mapping.encoded(file, at, size, length);
  }

  /** Whether a table or stored clusters can lie there. */
  private boolean isInside(long at, long bytes) {
    long l1At = header.l1TableOffset();
    return at % SECTOR == 0
        && at >= header.end()
        && at <= end - bytes
        && (at >= l1At + header.l1Bytes() || at + bytes <= l1At);
  }

  /**
   * How many clusters from {@code cluster} on, in the same slice, have no space that may be written
   * in place; at most {@code most}.
   */
  int countUnwritable(TableCache.Hold hold, long cluster, long most) throws IOException {
    int at = l2Index(cluster);
    int wanted = (int) Math.min(most, entriesPerSlice - at);
    Slice names = Objects.requireNonNull(hold.slice(l1, l1Slice(cluster)));
    if (names.word(l1Index(cluster)) == 0) {
      return wanted;
    }
    Slice entries = Objects.requireNonNull(hold.slice(l2, l2Slice(cluster)));
    int clusters = 0;
    while (clusters < wanted && !new L2Entry(entries.word(at + clusters)).isStored()) {
      clusters++;
    }
    return clusters;
  }

  /**
   * How many of {@code clusters} the host file has room for beside the table that names them, but 1
   * at least: that there is none {@link #take} tells.
   */
  int countFitting(TableCache.Hold hold, long cluster, int clusters) throws IOException {
    Slice names = Objects.requireNonNull(hold.slice(l1, l1Slice(cluster)));
    long table = names.word(l1Index(cluster)) == 0 ? roundUp(header.l2Bytes(), clusterSize) : 0;
    long room = file.capacity() - roundUp(end, clusterSize) - table;
    return (int) Math.max(1, Math.min(clusters, room >> clusterBits));
  }

  /**
   * Sets space aside at the end for what a cluster's entry will name, behind the L2 table of that
   * entry, which is made if there is none. Where everything lies follows from the order of these
   * calls alone.
   *
   * @throws NoSpaceException if the host file cannot grow so far; nothing was set aside
   */
  long take(TableCache.Hold hold, long cluster, long bytes, int alignment) throws IOException {
    Slice names = Objects.requireNonNull(hold.slice(l1, l1Slice(cluster)));
    boolean isFirst = names.word(l1Index(cluster)) == 0;
    long table = roundUp(end, clusterSize);
    long start = roundUp(isFirst ? table + header.l2Bytes() : end, alignment);
    long capacity = file.capacity();
    if (start > capacity - bytes) {
      throw new NoSpaceException(
          file.name() + " is full: it cannot grow beyond " + capacity + " bytes");
    }
    if (isFirst) {
      createTable(hold, names, cluster, table);
    }
    end = start + bytes;
    return start;
  }

  /** Takes space back if nothing was set aside behind it; under the metadata lock. */
  void giveBack(long start, long bytes) {
    if (end == start + bytes) {
      end = start;
    }
  }

  /** Sets {@code clusters} entries from {@code first} on, for which space was taken. */
  void set(TableCache.Hold hold, long cluster, int clusters, L2Entry first) throws IOException {
    Slice entries = Objects.requireNonNull(hold.slice(l2, l2Slice(cluster)));
    int at = l2Index(cluster);
    for (int i = 0; i < clusters; i++) {
      hold.set(entries, at + i, first.raw() + (long) i * clusterSize);
    }
  }

  private void createTable(TableCache.Hold hold, Slice names, long cluster, long place) {
    long table = cluster >>> header.l2Bits();
    for (int i = 0; i < slicesPerTable; i++) {
      hold.create(l2, table * slicesPerTable + i, place + (long) i * sliceBytes, names);
    }
    hold.set(names, l1Index(cluster), place);
  }

  private long l1Slice(long cluster) {
    return (cluster >>> header.l2Bits()) / (TableKind.MAX_SLICE / Long.BYTES);
  }

  private int l1Index(long cluster) {
    return (int) ((cluster >>> header.l2Bits()) % (TableKind.MAX_SLICE / Long.BYTES));
  }

  private long l2Slice(long cluster) {
    return cluster / entriesPerSlice;
  }

  private int l2Index(long cluster) {
    return (int) (cluster % entriesPerSlice);
  }

  private CorruptImageException corrupt(String entry, long cluster, long raw) {
    return new CorruptImageException(
        String.format(
            "%s: %s of guest offset %d is 0x%x, where nothing of it can be",
            file.name(), entry, cluster << clusterBits, raw));
  }

  private static long roundUp(long value, int powerOfTwo) {
    return (value + powerOfTwo - 1) & -powerOfTwo;
  }

  private final class L1Kind extends TableKind {
    L1Kind(ByteOrder order) {
      super("L1 table", file, order, MAX_SLICE, header.l1Bytes(), WriteStage.L1_TABLE);
    }

    @Override
    protected long position(TableCache.Hold hold, long index) {
      return header.l1TableOffset() + index * MAX_SLICE;
    }
  }

  private final class L2Kind extends TableKind {
    L2Kind() {
      super(
          "L2 table",
          file,
          ByteOrder.BIG_ENDIAN,
          sliceBytes,
          header.l1Entries() * header.l2Bytes(),
          WriteStage.L1_TABLE,
          WriteStage.L2_TABLE);
    }

    @Override
    protected long position(TableCache.Hold hold, long index) throws IOException {
      long cluster = index * entriesPerSlice;
      Slice names = Objects.requireNonNull(hold.slice(l1, l1Slice(cluster)));
      long table = names.word(l1Index(cluster));
      if (table == 0) {
        return 0;
      }
      if (!isInside(table, header.l2Bytes())) {
        throw corrupt("L1 entry", cluster, table);
      }
      return table + index % slicesPerTable * sliceBytes;
    }
  }
}
