package io.vdisk.testkit.toy;

import static io.vdisk.testkit.toy.RefcountedFormat.CLUSTER;
import static io.vdisk.testkit.toy.RefcountedFormat.MAX_TABLE_ENTRIES;
import static io.vdisk.testkit.toy.RefcountedFormat.PER_CLUSTER;
import static io.vdisk.testkit.toy.RefcountedFormat.TABLE_ENTRIES;
import static io.vdisk.testkit.toy.RefcountedFormat.TABLE_OFFSET;

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
import io.vdisk.testkit.toy.RefcountedLayout.Stage;
import io.vdisk.testkit.toy.ToyAllocation.Space;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How often each cluster is referred to, 8 bytes each. A cursor passes over the counts once, from
 * the front, and reports what is free; where there is no block it waits for {@link #grow}. Block
 * {@code n} counts the clusters from {@code 64 n} on, and lies in the first of them that was free.
 *
 * <p>What takes a {@code Hold} looks everything up before it changes anything.
 */
final class Refcounts {
  private final HostFile file;
  private final TableCache cache;
  private final WriteBack<Stage> writeBack;
  private final Quarantine quarantine;
  private final TableKind pointer;
  private final TableKind table;
  private final TableKind blocks;

  // Under the metadata lock:
  private SpaceMap free = new SpaceMap();

  /** The first cluster whose count the cursor has not seen. */
  private long cursor = 1;

  /** From this offset on the file has never been written. */
  private long untouched;

  Refcounts(HostFile file, TableCache cache, WriteBack<Stage> writeBack, Quarantine quarantine)
      throws IOException {
    this.file = file;
    this.cache = cache;
    this.writeBack = writeBack;
    this.quarantine = quarantine;
    this.untouched = file.size();
    this.pointer = cache.add(new Pointer());
    this.table = cache.add(new Table());
    this.blocks = cache.add(new Blocks());
  }

  /** Two words of the header: where the refcount table is, and how many entries it has. */
  private final class Pointer extends TableKind {
    Pointer() {
      super("table pointer", file, ByteOrder.BIG_ENDIAN, 16, 16, Stage.REFCOUNT_POINTER);
    }

    @Override
    protected long position(Hold hold, long index) {
      return ToyHeader.WORDS_OFFSET + (long) TABLE_OFFSET * Long.BYTES;
    }
  }

  private final class Table extends TableKind {
    Table() {
      super(
          "refcount table",
          file,
          ByteOrder.BIG_ENDIAN,
          CLUSTER,
          MAX_TABLE_ENTRIES * Long.BYTES,
          Stage.REFCOUNT_TABLE);
    }

    @Override
    protected long position(Hold hold, long index) throws IOException {
      return index * PER_CLUSTER < entries(hold) ? tableOffset(hold) + index * CLUSTER : 0;
    }
  }

  private final class Blocks extends TableKind {
    Blocks() {
      super(
          "refcount block",
          file,
          ByteOrder.BIG_ENDIAN,
          CLUSTER,
          MAX_TABLE_ENTRIES * CLUSTER,
          Stage.REFCOUNT_BLOCK);
    }

    @Override
    protected long position(Hold hold, long index) throws IOException {
      if (index >= entries(hold)) {
        return 0;
      }
      long offset = names(hold, index).word((int) (index % PER_CLUSTER));
      return checked("refcount table entry " + index, offset);
    }
  }

  private long checked(String field, long offset) throws CorruptImageException {
    if (offset < 0 || offset % CLUSTER != 0) {
      throw new CorruptImageException(file.name() + ": " + field + " is offset " + offset);
    }
    return offset;
  }

  private Slice pointer(Hold hold) throws IOException {
    return Objects.requireNonNull(hold.slice(pointer, 0));
  }

  private long tableOffset(Hold hold) throws IOException {
    long offset = checked("refcount table", pointer(hold).word(0));
    if (offset == 0) {
      throw new CorruptImageException(file.name() + ": there is no refcount table");
    }
    return offset;
  }

  private long entries(Hold hold) throws IOException {
    long entries = pointer(hold).word(TABLE_ENTRIES - TABLE_OFFSET);
    if (entries < 1 || entries > MAX_TABLE_ENTRIES) {
      throw new CorruptImageException(file.name() + ": a refcount table of " + entries);
    }
    return entries;
  }

  /** The slice of the refcount table that names a block. */
  private Slice names(Hold hold, long block) throws IOException {
    return Objects.requireNonNull(hold.slice(table, block / PER_CLUSTER));
  }

  private @Nullable Slice counts(Hold hold, long cluster) throws IOException {
    long block = cluster / PER_CLUSTER;
    return block < MAX_TABLE_ENTRIES ? hold.slice(blocks, block) : null;
  }

  /**
   * Takes up to {@code most} bytes of neighbouring clusters and counts them once. Dirties one
   * slice; whatever else the body needs it has looked up before.
   *
   * @return null if {@link #grow} must be called first
   */
  @Nullable Space take(Hold hold, long most) throws IOException {
    while (free.bytes() == 0) {
      Slice counts = counts(hold, cursor);
      if (counts == null) {
        return null;
      }
      scan(counts);
    }
    SpaceMap.Run run = Objects.requireNonNull(free.take(CLUSTER, most));
    boolean taken = false;
    try {
      Slice counts = Objects.requireNonNull(counts(hold, run.offset() / CLUSTER));
      int first = (int) (run.offset() / CLUSTER % PER_CLUSTER);
      long length = Math.min(run.length(), (long) (PER_CLUSTER - first) * CLUSTER);
      for (int i = first; i < first + length / CLUSTER; i++) {
        hold.set(counts, i, 1);
      }
      if (length < run.length()) {
        free.add(run.offset() + length, run.length() - length);
      }
      boolean zeroed = run.offset() >= untouched;
      untouched = Math.max(untouched, run.offset() + length);
      taken = true;
      return new Space(run.offset(), length, zeroed);
    } finally {
      if (!taken) {
        free.add(run.offset(), run.length());
      }
    }
  }

  private void scan(Slice counts) {
    for (int i = (int) (cursor % PER_CLUSTER); i < PER_CLUSTER; i++) {
      if (counts.word(i) == 0) {
        free.add(cursor * CLUSTER, CLUSTER);
      }
      cursor++;
    }
  }

  /** Adds the block that the cursor waits for. */
  void grow() throws IOException {
    int slices = Math.toIntExact(MAX_TABLE_ENTRIES / PER_CLUSTER + 2);
    writeBack.reserve(slices);
    try {
      boolean unused = cache.<Boolean>locked(this::addBlock);
    } finally {
      writeBack.release(slices);
    }
  }

  /**
   * Adds a block. With the last one that the table can name, the table moves into the clusters
   * behind the block, twice as large.
   */
  private boolean addBlock(Hold hold) throws IOException {
    if (free.bytes() > 0 || counts(hold, cursor) != null) {
      return false; // somebody else was first
    }
    long block = cursor / PER_CLUSTER;
    long entries = entries(hold);
    if (block >= entries) {
      throw new NoSpaceException(file.name() + " has no room for more refcount blocks");
    }
    long oldTable = tableOffset(hold);
    Slice named = pointer(hold);
    Slice names = names(hold, block);
    List<Slice> old = new ArrayList<>();
    for (long i = 0; i * PER_CLUSTER < entries; i++) {
      old.add(Objects.requireNonNull(hold.slice(table, i)));
    }
    boolean moves = block == entries - 1 && entries < MAX_TABLE_ENTRIES;
    long newClusters = moves ? ToyFormat.ceilDiv(2 * entries, PER_CLUSTER) : 0;

    long offset = cursor * CLUSTER;
    Slice counts = hold.create(blocks, block, offset);
    hold.set(names, (int) (block % PER_CLUSTER), offset);
    int first = (int) (cursor % PER_CLUSTER);
    for (int i = first; i <= first + newClusters; i++) {
      hold.set(counts, i, 1);
    }
    if (moves) {
      moveTable(hold, old, offset + CLUSTER, newClusters);
      hold.set(named, 0, offset + CLUSTER);
      hold.set(named, TABLE_ENTRIES - TABLE_OFFSET, 2 * entries);
      quarantine.add(oldTable, (long) old.size() * CLUSTER);
    }
    cursor += 1 + newClusters;
    untouched = Math.max(untouched, cursor * CLUSTER);
    return true;
  }

  private void moveTable(Hold hold, List<Slice> old, long offset, long clusters) {
    for (Slice slice : old) {
      hold.move(slice, offset + slice.index() * CLUSTER);
    }
    for (long i = old.size(); i < clusters; i++) {
      Slice unused = hold.create(table, i, offset + i * CLUSTER);
    }
  }

  /** Counts clusters of one block once less, and offers those that nobody refers to. */
  void release(Hold hold, long offset, long length) throws IOException {
    Slice counts = counts(hold, offset / CLUSTER);
    for (long at = offset; counts != null && at < offset + length; at += CLUSTER) {
      int i = (int) (at / CLUSTER % PER_CLUSTER);
      long count = counts.word(i);
      if (count > 0) {
        hold.set(counts, i, count - 1);
      }
      if (count == 1) {
        free.add(at, CLUSTER);
      }
    }
  }

  /** Forgets what is free: it is found again. */
  void reload() throws IOException {
    long end = file.size();
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
