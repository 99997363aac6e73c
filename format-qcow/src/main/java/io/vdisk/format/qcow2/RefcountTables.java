package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.NoSpaceException;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The refcount table and the refcount blocks that it names: where each cluster's count is, and how
 * there come to be more of them. Specification: "Host cluster management".
 *
 * <p>What takes a {@code Hold} runs under the metadata lock.
 */
final class RefcountTables {
  /** Host offsets have 56 bits in L2 entries. */
  static final long MAX_FILE_BYTES = 1L << 56;

  private final HostFile file;
  private final Quarantine quarantine;
  private final MetadataMap metadata;
  private final int clusterBits;
  private final RefcountWidth width;

  /** Bytes 48 to 63 of the header: offset of the refcount table, its clusters, nb_snapshots. */
  private final TableKind pointer;

  private final TableKind table;
  private final TableKind blocks;

  RefcountTables(
      HostFile file,
      Qcow2Header header,
      TableCache cache,
      Quarantine quarantine,
      MetadataMap metadata) {
    this.file = file;
    this.quarantine = quarantine;
    this.metadata = metadata;
    this.clusterBits = header.clusterBits;
    this.width = new RefcountWidth(header.refcountOrder);
    this.pointer = cache.add(new Pointer(file));
    this.table = cache.add(new Table(file));
    this.blocks = cache.add(new Blocks(file));
  }

  private long clusterSize() {
    return 1L << clusterBits;
  }

  private int sliceBytes() {
    return (int) Math.min(TableKind.MAX_SLICE, clusterSize());
  }

  int slicesPerCluster() {
    return (int) (clusterSize() / sliceBytes());
  }

  /** Clusters that one block counts. */
  long perBlock() {
    return width.in(clusterSize());
  }

  /** Clusters that one slice of a block counts. */
  long perSlice() {
    return width.in(sliceBytes());
  }

  /** Blocks that a file of the largest size has. */
  private long maxBlocks() {
    long forFile = MAX_FILE_BYTES / (perBlock() << clusterBits);
    return Math.min(forFile, Qcow2Header.MAX_REFCOUNT_TABLE_BYTES / Long.BYTES);
  }

  /** Clusters that can be counted at most. */
  long maxClusters() {
    return maxBlocks() * perBlock();
  }

  private static final class Pointer extends TableKind {
    private static final int BYTES = 16;

    Pointer(HostFile file) {
      super(
          "refcount table pointer",
          file,
          ByteOrder.BIG_ENDIAN,
          BYTES,
          BYTES,
          WriteStage.REFCOUNT_POINTER);
    }

    @Override
    protected long position(Hold hold, long index) {
      return Qcow2Header.REFCOUNT_TABLE_OFFSET.offset();
    }
  }

  private final class Table extends TableKind {
    Table(HostFile file) {
      super(
          "refcount table",
          file,
          ByteOrder.BIG_ENDIAN,
          sliceBytes(),
          (maxBlocks() * Long.BYTES + clusterSize() - 1) & -clusterSize(),
          WriteStage.REFCOUNT_TABLE);
    }

    @Override
    protected long position(Hold hold, long index) throws IOException {
      long within = index * sliceBytes();
      Slice named = pointer(hold);
      return within < tableBytes(named) ? named.word(0) + within : 0;
    }
  }

  private final class Blocks extends TableKind {
    Blocks(HostFile file) {
      super(
          "refcount block",
          file,
          ByteOrder.BIG_ENDIAN,
          sliceBytes(),
          maxBlocks() << clusterBits,
          WriteStage.REFCOUNT_BLOCK);
    }

    @Override
    protected long position(Hold hold, long index) throws IOException {
      long offset = blockOffset(hold, index / slicesPerCluster());
      return offset == 0 ? 0 : offset + index % slicesPerCluster() * sliceBytes();
    }
  }

  private Slice pointer(Hold hold) throws IOException {
    return Objects.requireNonNull(hold.slice(pointer, 0));
  }

  private long tableBytes(Slice named) {
    return named.u32(2) << clusterBits;
  }

  /** Where a block lies; 0 if there is none. */
  private long blockOffset(Hold hold, long block) throws IOException {
    int words = sliceBytes() / Long.BYTES;
    Slice names = hold.slice(table, block / words);
    long offset = names == null ? 0 : names.word((int) (block % words)) & Refcounts.BLOCK_OFFSET;
    if (offset < 0 || offset % clusterSize() != 0) {
      throw new CorruptImageException(
          file.name() + ": refcount table entry " + block + " is " + Long.toHexString(offset));
    }
    return offset;
  }

  /** The slice of counts that a cluster's lies in; null if there is no block for it. */
  @Nullable Slice counts(Hold hold, long cluster) throws IOException {
    long index = cluster / perSlice();
    return index < blocks.slices() ? hold.slice(blocks, index) : null;
  }

  /** A count. */
  long get(Slice counts, long cluster) {
    int i = (int) (cluster % perSlice());
    return width.get(counts.word(i / width.perWord()), i % width.perWord());
  }

  /** Changes a count. */
  void set(Hold hold, Slice counts, long cluster, long count) {
    int i = (int) (cluster % perSlice());
    int word = i / width.perWord();
    hold.set(counts, word, width.with(counts.word(word), i % width.perWord(), count));
  }

  /** The largest count. */
  long max() {
    return width.max();
  }

  /**
   * Sees that the block which counts a cluster is one, and nothing else: what is changed there must
   * not hit other metadata.
   */
  void checkBlock(Hold hold, long cluster) throws IOException {
    long offset = blockOffset(hold, cluster / perBlock());
    if (!metadata.isOnly(MetadataMap.Kind.REFCOUNT_BLOCK, offset)) {
      throw new OverlapException(
          file.name() + ": the refcount block at offset " + offset + " is other metadata, too");
    }
  }

  /** Sees that the host file can hold the clusters before {@code end}. */
  void checkRoom(long end) throws IOException {
    long capacity = file.capacity();
    if (end > capacity >>> clusterBits) {
      throw new NoSpaceException(
          file.name() + " is full: it cannot grow beyond " + capacity + " bytes");
    }
  }

  /** Whether the table has entries for so many blocks from that of a cluster on. */
  boolean hasEntries(Hold hold, long cluster, long count) throws IOException {
    int words = sliceBytes() / Long.BYTES;
    long block = cluster / perBlock();
    for (long i = block; i < block + count; i++) {
      if (i / words >= table.slices() || hold.slice(table, i / words) == null) {
        return false;
      }
    }
    return true;
  }

  /** Slices that {@link #addBlocks} dirties for so many blocks. */
  int slicesFor(long count) {
    return Math.toIntExact(count * slicesPerCluster() + count * Long.BYTES / sliceBytes() + 2);
  }

  /**
   * Adds blocks at the first cluster of the range that they count, which they count themselves.
   *
   * @param cluster the first of a block's range that has no block
   * @return false if the table has no entries for them
   */
  boolean addBlocks(Hold hold, long cluster, long count) throws IOException {
    if (!hasEntries(hold, cluster, count)) {
      return false;
    }
    long block = cluster / perBlock();
    int words = sliceBytes() / Long.BYTES;
    checkRoom(cluster + count);
    metadata.checkFree(file, cluster << clusterBits, count << clusterBits);
    for (long i = 0; i < count; i++) {
      create(hold, block + i, cluster + i);
      Slice names = Objects.requireNonNull(hold.slice(table, (block + i) / words));
      hold.set(names, (int) ((block + i) % words), (cluster + i) << clusterBits);
    }
    count(hold, cluster, count);
    return true;
  }

  private void create(Hold hold, long block, long cluster) {
    for (int i = 0; i < slicesPerCluster(); i++) {
      hold.create(
          blocks,
          block * slicesPerCluster() + i,
          (cluster << clusterBits) + (long) i * sliceBytes());
    }
    metadata.add(MetadataMap.Kind.REFCOUNT_BLOCK, cluster << clusterBits, 1);
  }

  private void count(Hold hold, long first, long clusters) throws IOException {
    for (long cluster = first; cluster < first + clusters; cluster++) {
      set(hold, Objects.requireNonNull(counts(hold, cluster)), cluster, 1);
    }
  }

  /**
   * A table that moves behind everything that the old one counts, where blocks of the new one count
   * it.
   *
   * @param first cluster of the new blocks, which the new table follows
   * @param blocks how many
   * @param tableClusters of the new table
   */
  record Move(long first, long blocks, long tableClusters) {
    long end() {
      return first + blocks + tableClusters;
    }
  }

  /** What it takes to have a table with entries for so many further blocks. */
  Move planMove(Hold hold, long further) throws IOException {
    Slice named = pointer(hold);
    long entries = tableBytes(named) / Long.BYTES;
    long added = further;
    while (true) {
      long wanted = Math.min(maxBlocks(), Math.max(entries + entries / 2, entries + added));
      long clusters = (wanted * Long.BYTES + clusterSize() - 1) >>> clusterBits;
      long needed = Math.max(further, (added + clusters + perBlock() - 1) / perBlock());
      if (entries + added > maxBlocks() || clusters << clusterBits <= tableBytes(named)) {
        throw new NoSpaceException(file.name() + ": the refcount table cannot be larger");
      }
      if (needed <= added) {
        return new Move(entries * perBlock(), added, clusters);
      }
      added = needed;
    }
  }

  /** Slices that {@link #move} dirties. */
  int slicesFor(Move move) {
    return Math.toIntExact((move.blocks + move.tableClusters) * slicesPerCluster() + 1);
  }

  /** Moves the refcount table. */
  void move(Hold hold, Move move) throws IOException {
    Slice named = pointer(hold);
    int words = sliceBytes() / Long.BYTES;
    List<Slice> old = new ArrayList<>();
    for (long i = 0; i * sliceBytes() < tableBytes(named); i++) {
      old.add(Objects.requireNonNull(hold.slice(table, i)));
    }
    long oldOffset = named.word(0);
    long oldBytes = tableBytes(named);
    long oldEntries = oldBytes / Long.BYTES;
    long newOffset = (move.first + move.blocks) << clusterBits;
    long newBytes = move.tableClusters << clusterBits;
    checkRoom(move.end());
    long added = move.blocks + move.tableClusters;
    metadata.checkFree(file, move.first << clusterBits, added << clusterBits);
    for (long i = 0; i < move.blocks; i++) {
      create(hold, oldEntries + i, move.first + i);
    }
    for (Slice slice : old) {
      hold.move(slice, newOffset + slice.index() * sliceBytes());
    }
    for (long i = old.size(); i * sliceBytes() < newBytes; i++) {
      hold.create(table, i, newOffset + i * sliceBytes());
    }
    hold.set(named, 0, newOffset);
    hold.setU32(named, 2, move.tableClusters);
    for (long i = 0; i < move.blocks; i++) {
      long block = oldEntries + i;
      Slice names = Objects.requireNonNull(hold.slice(table, block / words));
      hold.set(names, (int) (block % words), (move.first + i) << clusterBits);
    }
    count(hold, move.first, added);
    quarantine.add(oldOffset, oldBytes);
    metadata.remove(oldOffset, oldBytes);
    metadata.add(MetadataMap.Kind.REFCOUNT_TABLE, newOffset, newBytes);
  }
}
