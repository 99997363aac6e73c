package io.vdisk.testkit.toy;

import static io.vdisk.testkit.toy.RefcountedFormat.CLUSTER;
import static io.vdisk.testkit.toy.RefcountedFormat.COVERAGE;
import static io.vdisk.testkit.toy.RefcountedFormat.PER_CLUSTER;

import io.vdisk.CorruptImageException;
import io.vdisk.feature.CheckReport;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import io.vdisk.spi.metadata.WriteBack;
import io.vdisk.testkit.toy.ToyAllocation.Space;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Guest clusters through L1 and L2 tables, see {@link RefcountedFormat}. */
final class RefcountedLayout extends ToyLayout<RefcountedLayout.Stage> {
  /** Each is durable before the next. */
  enum Stage {
    /** A cluster is counted before anything names it. */
    REFCOUNT_BLOCK,
    /** Names blocks of the stage before; a table that moved, too. */
    REFCOUNT_TABLE,
    /** The header's two words: a table that moved, before any table that relies on its counts. */
    REFCOUNT_POINTER,
    /** The first stage that exposes guest data. */
    L2_TABLE,
    /** Names L2 tables. */
    L1_TABLE
  }

  private final WriteBack<Stage> writeBack;
  private final Refcounts refcounts;
  private final TableKind l1;
  private final TableKind l2;

  RefcountedLayout(ToyFormat.Parts parts) throws IOException {
    super(parts);
    long l1Offset = header.offsetWord(RefcountedFormat.L1_OFFSET, file);
    long tables = Math.max(1, ToyFormat.ceilDiv(size, COVERAGE));
    long entries = header.word(RefcountedFormat.L1_ENTRIES, tables, tables, file);
    this.writeBack = new WriteBack<>(Stage.class, Stage.L2_TABLE, cache, quarantine, List.of(file));
    this.l1 = cache.add(new L1(l1Offset, entries));
    this.l2 = cache.add(new L2(entries));
    this.refcounts = new Refcounts(file, cache, writeBack, quarantine);
  }

  private final class L1 extends TableKind {
    private final long start;

    L1(long start, long entries) {
      super("L1 table", file, ByteOrder.BIG_ENDIAN, CLUSTER, entries * Long.BYTES, Stage.L1_TABLE);
      this.start = start;
    }

    @Override
    protected long position(Hold hold, long index) {
      return start + index * CLUSTER;
    }
  }

  /** One slice for each table. */
  private final class L2 extends TableKind {
    L2(long tables) {
      super("L2 table", file, ByteOrder.BIG_ENDIAN, CLUSTER, tables * CLUSTER, Stage.L2_TABLE);
    }

    @Override
    protected long position(Hold hold, long index) throws IOException {
      long offset = names(hold, index).word((int) (index % PER_CLUSTER));
      if (offset < 0 || offset % CLUSTER != 0) {
        throw new CorruptImageException(file.name() + ": L1 entry " + index + " is " + offset);
      }
      return offset;
    }
  }

  private Slice names(Hold hold, long table) throws IOException {
    return Objects.requireNonNull(hold.slice(l1, table / PER_CLUSTER));
  }

  private static int indexOf(long offset) {
    return (int) (offset / CLUSTER % PER_CLUSTER);
  }

  @Override
  WriteBack<Stage> writeBack() {
    return writeBack;
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    Slice entries = cache.load(l2, offset / COVERAGE);
    return entries == null
        ? Mapping.backing(Math.min(length, COVERAGE - offset % COVERAGE))
        : run(entries, indexOf(offset), file, offset, length);
  }

  /**
   * Runs a body that takes clusters, and adds refcount blocks as long as it says null. The slices
   * stay reserved when this returns.
   */
  private <T> T taking(int slices, TableCache.Body<@Nullable T> body) throws IOException {
    while (true) {
      T taken = null;
      writeBack.reserve(slices);
      try {
        taken = cache.locked(body);
      } finally {
        if (taken == null) {
          writeBack.release(slices);
        }
      }
      if (taken != null) {
        return taken;
      }
      refcounts.grow();
    }
  }

  /** Makes sure that the entry of a guest offset has a table to lie in. */
  private void ensureTable(long offset) throws IOException {
    long table = offset / COVERAGE;
    if (cache.load(l2, table) != null) {
      return;
    }
    boolean unused =
        taking(
            3,
            hold -> {
              Slice names = names(hold, table);
              if (hold.slice(l2, table) != null) {
                return true;
              }
              Space space = refcounts.take(hold, CLUSTER);
              if (space == null) {
                return null;
              }
              Slice made = hold.create(l2, table, space.offset());
              hold.set(names, (int) (table % PER_CLUSTER), space.offset());
              return made.length() > 0;
            });
    writeBack.release(3);
  }

  private Slice entries(Hold hold, long offset) throws IOException {
    return Objects.requireNonNull(hold.slice(l2, offset / COVERAGE));
  }

  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    ensureTable(offset);
    long start = offset - offset % CLUSTER;
    long end = ToyFormat.ceilDiv(offset + length, CLUSTER) * CLUSTER;
    long wanted = Math.min(end, start - start % COVERAGE + COVERAGE) - start;
    return taking(
        Clusters.SLICES,
        hold -> {
          Slice looked = entries(hold, offset);
          assert looked.length() == PER_CLUSTER;
          Space space = refcounts.take(hold, wanted);
          return space == null ? null : new Clusters(space, start, offset, length);
        });
  }

  /** Clusters that are counted, and named when they are committed. */
  private final class Clusters extends ToyAllocation {
    /** Counts when they are taken or given back, entries when they are committed. */
    static final int SLICES = 2;

    Clusters(Space space, long start, long offset, long most) {
      super(file, space, start, offset, most);
    }

    @Override
    public void commit() throws IOException {
      locked(
          hold -> {
            Slice entries = entries(hold, start);
            for (int i = 0; i < spaceLength / CLUSTER; i++) {
              long offset = spaceOffset + (long) i * CLUSTER;
              replace(hold, entries, indexOf(start) + i, ToyEntry.stored(offset));
            }
          });
      writeBack.release(SLICES);
    }

    @Override
    public void abort() {
      try {
        locked(hold -> refcounts.release(hold, spaceOffset, spaceLength));
      } catch (IOException e) {
        // It stays counted: a leak, which the format allows.
      } finally {
        writeBack.release(SLICES);
      }
    }
  }

  /** Sets an entry; the cluster that it named, if any, loses a reference. */
  private void replace(Hold hold, Slice entries, int i, ToyEntry entry) {
    ToyEntry old = new ToyEntry(entries.word(i));
    drop(old);
    if (!old.equals(entry)) {
      hold.set(entries, i, entry.raw());
    }
  }

  private void drop(ToyEntry entry) {
    if (entry.isAllocated()) {
      quarantine.add(entry.offset(), CLUSTER);
    }
  }

  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    if (keepSpace) {
      return 0;
    }
    long inTable = Math.min(COVERAGE - offset % COVERAGE, size - offset);
    long done = Math.min(length, inTable);
    if (!hasBacking && cache.load(l2, offset / COVERAGE) == null) {
      return done;
    }
    if (!hasBacking && done == inTable && offset % COVERAGE == 0) {
      dropTable(offset / COVERAGE);
      return done;
    }
    ensureTable(offset);
    int count = (int) ToyFormat.ceilDiv(done, CLUSTER);
    ToyEntry entry = hasBacking ? ToyEntry.ZERO : ToyEntry.NONE;
    change(
        1,
        hold -> {
          Slice entries = entries(hold, offset);
          for (int i = 0; i < count; i++) {
            replace(hold, entries, indexOf(offset) + i, entry);
          }
        });
    return done;
  }

  /** The engine holds every unit of the table, so nobody is about to commit to it. */
  private void dropTable(long table) throws IOException {
    change(
        1,
        hold -> {
          Slice names = names(hold, table);
          Slice entries = hold.slice(l2, table);
          if (entries == null) {
            return;
          }
          int i = (int) (table % PER_CLUSTER);
          for (int entry = 0; entry < PER_CLUSTER; entry++) {
            drop(new ToyEntry(entries.word(entry)));
          }
          quarantine.add(names.word(i), CLUSTER);
          hold.remove(entries);
          hold.set(names, i, 0);
        });
  }

  /**
   * The clusters are durably unnamed, and nobody reads them: their space goes back to the host,
   * then their counts fall, then they are offered.
   */
  @Override
  public void recycle(long batch) throws IOException {
    List<Quarantine.Entry> freed = cache.locked(hold -> quarantine.take(batch));
    for (Quarantine.Entry entry : freed) {
      boolean unused = file.zero(entry.fileOffset(), entry.length(), false);
      for (long at = 0; at < entry.length(); at += CLUSTER) {
        long offset = entry.fileOffset() + at;
        change(1, hold -> refcounts.release(hold, offset, CLUSTER));
      }
    }
  }

  @Override
  void check(CheckReport.Builder report) throws IOException {
    new RefcountedCheck(file, header.virtualSize(), report).run();
  }

  @Override
  public void reload() throws IOException {
    super.reload();
    refcounts.reload();
  }
}
