package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.NoSpaceException;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.SpaceMap;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import io.vdisk.spi.metadata.WriteBack;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How often each host cluster is referred to, and hence which are free. Specification: "Host
 * cluster management".
 *
 * <p>What takes a {@code Hold} runs under the metadata lock. A free cluster is found by a cursor
 * that passes over the counts once, from the front, or comes back through the quarantine. Where the
 * cursor meets a range without a refcount block, {@link #grow} adds one.
 */
final class Refcounts {
  /** Host offsets have 56 bits in L2 entries. */
  private static final long MAX_FILE_BYTES = 1L << 56;

  /** Bits 9 to 63 of an entry of the refcount table. */
  static final long BLOCK_OFFSET = ~0x1ffL;

  private final HostFile file;
  private final TableCache cache;
  private final WriteBack<WriteStage> writeBack;
  private final Quarantine quarantine;
  private final int clusterBits;
  private final RefcountWidth width;

  /** Bytes 48 to 63 of the header: offset of the refcount table, its clusters, nb_snapshots. */
  private final TableKind pointer;

  private final TableKind table;
  private final TableKind blocks;

  /** Bytes of the L1 table, which are never free whatever the counts say. */
  private final SpaceMap.Run l1Table;

  /** The LUKS header, likewise; empty if there is none. */
  private final SpaceMap.Run luks;

  // Under the metadata lock:
  private SpaceMap free = new SpaceMap();

  /** The next cluster whose count was not looked at. */
  private long cursor = 1;

  /** From here on the file has never been written. */
  private long untouched;

  Refcounts(
      HostFile file,
      Qcow2Header header,
      TableCache cache,
      WriteBack<WriteStage> writeBack,
      Quarantine quarantine)
      throws IOException {
    this.file = file;
    this.cache = cache;
    this.writeBack = writeBack;
    this.quarantine = quarantine;
    this.clusterBits = header.clusterBits;
    this.width = new RefcountWidth(header.refcountOrder);
    this.untouched = (file.size() + clusterSize() - 1) & -clusterSize();
    this.l1Table = new SpaceMap.Run(header.l1TableOffset, (long) header.l1Entries * Long.BYTES);
    this.luks = new SpaceMap.Run(header.luksOffset, header.luksLength);
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

  private int slicesPerCluster() {
    return (int) (clusterSize() / sliceBytes());
  }

  /** Clusters that one block counts. */
  private long perBlock() {
    return width.in(clusterSize());
  }

  /** Clusters that one slice of a block counts. */
  private long perSlice() {
    return width.in(sliceBytes());
  }

  /** Blocks that a file of the largest size has. */
  private long maxBlocks() {
    long forFile = MAX_FILE_BYTES / (perBlock() << clusterBits);
    return Math.min(forFile, Qcow2Header.MAX_REFCOUNT_TABLE_BYTES / Long.BYTES);
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
      long block = index / slicesPerCluster();
      long offset = blockOffset(hold, block);
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
    long offset = names == null ? 0 : names.word((int) (block % words)) & BLOCK_OFFSET;
    if (offset < 0 || offset % clusterSize() != 0) {
      throw new CorruptImageException(
          file.name() + ": refcount table entry " + block + " is " + Long.toHexString(offset));
    }
    return offset;
  }

  private @Nullable Slice counts(Hold hold, long cluster) throws IOException {
    long index = cluster / perSlice();
    return index < blocks.slices() ? hold.slice(blocks, index) : null;
  }

  private long get(Slice counts, long cluster) {
    int i = (int) (cluster % perSlice());
    return width.get(counts.word(i / width.perWord()), i % width.perWord());
  }

  private void set(Hold hold, Slice counts, long cluster, long count) {
    int i = (int) (cluster % perSlice());
    int word = i / width.perWord();
    hold.set(counts, word, width.with(counts.word(word), i % width.perWord(), count));
  }

  /** Sees that the count of a cluster is in memory: before a body changes anything. */
  void lookUp(Hold hold, long cluster) throws IOException {
    Slice unused = counts(hold, cluster);
  }

  /** How often a cluster is counted. */
  long count(Hold hold, long cluster) throws IOException {
    Slice counts = counts(hold, cluster);
    return counts == null ? 0 : get(counts, cluster);
  }

  /**
   * Takes up to {@code most} bytes of neighbouring clusters, counted once from now on. Dirties one
   * slice. Everything else that the body needs was looked up before.
   *
   * @return null if {@link #grow} must be called first
   */
  @Nullable Space take(Hold hold, long most) throws IOException {
    while (free.bytes() == 0) {
      if (!scan(hold)) {
        return null;
      }
    }
    SpaceMap.Run run = Objects.requireNonNull(free.take(clusterSize(), most));
    boolean taken = false;
    try {
      long first = run.offset() >>> clusterBits;
      long clusters = Math.min(run.length() >>> clusterBits, perSlice() - first % perSlice());
      Slice counts = counts(hold, first);
      checkUnused(hold, first, clusters);
      if (counts == null || blockOffset(hold, first / perBlock()) == run.offset()) {
        throw inUse(run.offset());
      }
      for (long cluster = first; cluster < first + clusters; cluster++) {
        set(hold, counts, cluster, 1);
      }
      taken = true;
      long length = clusters << clusterBits;
      if (length < run.length()) {
        free.add(run.offset() + length, run.length() - length);
      }
      boolean zeroed = run.offset() >= untouched;
      untouched = Math.max(untouched, run.offset() + length);
      return new Space(run.offset(), length, zeroed);
    } finally {
      if (!taken) {
        free.add(run.offset(), run.length());
      }
    }
  }

  /**
   * Neighbouring clusters that were taken.
   *
   * @param offset in the host file
   * @param length bytes
   * @param zeroed whether they were never written
   */
  record Space(long offset, long length, boolean zeroed) {}

  /** Never hands out what is known to be in use: counts that say otherwise are wrong. */
  private void checkUnused(Hold hold, long first, long clusters) throws IOException {
    long start = first << clusterBits;
    long end = start + (clusters << clusterBits);
    Slice named = pointer(hold);
    if (overlaps(start, end, 0, 1)
        || overlaps(start, end, l1Table.offset(), l1Table.length())
        || overlaps(start, end, luks.offset(), luks.length())
        || overlaps(start, end, named.word(0), tableBytes(named))) {
      throw inUse(start);
    }
  }

  private CorruptImageException inUse(long offset) {
    return new CorruptImageException(
        file.name() + ": the refcounts call space free that is in use, near offset " + offset);
  }

  private static boolean overlaps(long start, long end, long offset, long length) {
    return offset < end && start < offset + length;
  }

  /** Sees that the host file can hold the clusters before {@code end}. */
  private void checkRoom(long end) throws IOException {
    long capacity = file.capacity();
    if (end > capacity >>> clusterBits) {
      throw new NoSpaceException(
          file.name() + " is full: it cannot grow beyond " + capacity + " bytes");
    }
  }

  /**
   * Adds the free clusters of the next slice of counts.
   *
   * @return false if there is no such slice
   */
  private boolean scan(Hold hold) throws IOException {
    if (cursor / perSlice() >= blocks.slices()) {
      throw new NoSpaceException(file.name() + " cannot be larger than " + MAX_FILE_BYTES);
    }
    checkRoom(cursor + 1);
    Slice counts = counts(hold, cursor);
    if (counts == null) {
      return false;
    }
    long end = cursor - cursor % perSlice() + perSlice();
    end = Math.min(end, file.capacity() >>> clusterBits);
    for (long cluster = cursor; cluster < end; cluster++) {
      if (get(counts, cluster) == 0) {
        free.add(cluster << clusterBits, clusterSize());
      }
    }
    cursor = end;
    return true;
  }

  /**
   * Adds the refcount block that the cursor waits for, in a table that moves if it is too small.
   */
  void grow() throws IOException {
    int slices = slicesPerCluster() + 1;
    if (!reserved(slices, this::addBlock)) {
      reserved(moveSlices(), this::moveTable);
    }
  }

  private boolean reserved(int slices, TableCache.Body<Boolean> body) throws IOException {
    writeBack.reserve(slices);
    try {
      return cache.locked(body);
    } finally {
      writeBack.release(slices);
    }
  }

  /** False if the table has no entry for the block. */
  private boolean addBlock(Hold hold) throws IOException {
    if (free.bytes() > 0 || counts(hold, cursor) != null) {
      return true; // somebody else was first
    }
    long block = cursor / perBlock();
    int words = sliceBytes() / Long.BYTES;
    Slice names = hold.slice(table, block / words);
    if (names == null) {
      return false;
    }
    // The block lies in the range that it counts, and counts itself.
    long cluster = cursor;
    checkRoom(cluster + 1);
    checkUnused(hold, cluster, 1);
    create(hold, block, cluster);
    hold.set(names, (int) (block % words), cluster << clusterBits);
    set(hold, Objects.requireNonNull(counts(hold, cluster)), cluster, 1);
    untouched = Math.max(untouched, (cluster + 1) << clusterBits);
    cursor = cluster + 1;
    return true;
  }

  private void create(Hold hold, long block, long cluster) {
    for (int i = 0; i < slicesPerCluster(); i++) {
      hold.create(
          blocks,
          block * slicesPerCluster() + i,
          (cluster << clusterBits) + (long) i * sliceBytes());
    }
  }

  /** The new table and the blocks that count it. */
  private record Move(long oldEntries, long blocks, long tableClusters) {}

  private Move planMove(Slice named) throws IOException {
    long entries = tableBytes(named) / Long.BYTES;
    long added = 1;
    while (true) {
      long wanted = Math.min(maxBlocks(), Math.max(entries + entries / 2, entries + added));
      long clusters = (wanted * Long.BYTES + clusterSize() - 1) >>> clusterBits;
      long needed = (added + clusters + perBlock() - 1) / perBlock();
      if (entries + added > maxBlocks() || clusters << clusterBits <= tableBytes(named)) {
        throw new NoSpaceException(file.name() + ": the refcount table cannot be larger");
      }
      if (needed <= added) {
        return new Move(entries, added, clusters);
      }
      added = needed;
    }
  }

  private int moveSlices() throws IOException {
    return cache.locked(
        hold -> {
          Move move = planMove(pointer(hold));
          return Math.toIntExact((move.blocks + move.tableClusters) * slicesPerCluster() + 1);
        });
  }

  /**
   * Moves the refcount table behind everything that the old one counts, where blocks of the new one
   * count it.
   */
  private boolean moveTable(Hold hold) throws IOException {
    Slice named = pointer(hold);
    if (free.bytes() > 0 || counts(hold, cursor) != null) {
      return true;
    }
    Move move = planMove(named);
    if (cursor / perBlock() < move.oldEntries) {
      return true; // somebody else moved it
    }
    int words = sliceBytes() / Long.BYTES;
    List<Slice> old = new ArrayList<>();
    for (long i = 0; i * sliceBytes() < tableBytes(named); i++) {
      old.add(Objects.requireNonNull(hold.slice(table, i)));
    }
    long oldOffset = named.word(0);
    long oldBytes = tableBytes(named);
    long first = move.oldEntries * perBlock();
    long newOffset = (first + move.blocks) << clusterBits;
    checkRoom(first + move.blocks + move.tableClusters);
    checkUnused(hold, first, move.blocks + move.tableClusters);
    for (int i = 0; i < move.blocks; i++) {
      create(hold, move.oldEntries + i, first + i);
    }
    for (Slice slice : old) {
      hold.move(slice, newOffset + slice.index() * sliceBytes());
    }
    for (long i = old.size(); i * sliceBytes() < move.tableClusters << clusterBits; i++) {
      hold.create(table, i, newOffset + i * sliceBytes());
    }
    hold.set(named, 0, newOffset);
    hold.setU32(named, 2, move.tableClusters);
    for (int i = 0; i < move.blocks; i++) {
      long block = move.oldEntries + i;
      Slice names = Objects.requireNonNull(hold.slice(table, block / words));
      hold.set(names, (int) (block % words), (first + i) << clusterBits);
    }
    long end = first + move.blocks + move.tableClusters;
    for (long cluster = first; cluster < end; cluster++) {
      set(hold, Objects.requireNonNull(counts(hold, cluster)), cluster, 1);
    }
    quarantine.add(oldOffset, oldBytes);
    untouched = Math.max(untouched, end << clusterBits);
    cursor = end;
    return true;
  }

  /** Counts a cluster once more; false if its count is the largest already. Dirties one slice. */
  boolean increment(Hold hold, long cluster) throws IOException {
    Slice counts = Objects.requireNonNull(counts(hold, cluster));
    long count = get(counts, cluster);
    if (count >= width.max()) {
      return false;
    }
    set(hold, counts, cluster, count + 1);
    return true;
  }

  /**
   * Counts a cluster once less, and offers it again if that was the last. What is counted not at
   * all stays so: a check will tell. Dirties one slice.
   */
  void decrement(Hold hold, long cluster) throws IOException {
    Slice counts = counts(hold, cluster);
    long count = counts == null ? 0 : get(counts, cluster);
    if (counts == null || count == 0) {
      return;
    }
    set(hold, counts, cluster, count - 1);
    if (count == 1) {
      free.add(cluster << clusterBits, clusterSize());
    }
  }

  /** Forgets what is free: it is found again. */
  void reload() throws IOException {
    long end = (file.size() + clusterSize() - 1) & -clusterSize();
    boolean unused =
        cache.<Boolean>locked(
            hold -> {
              free = new SpaceMap();
              cursor = 1;
              untouched = Math.max(untouched, end);
              return true;
            });
  }
}
