package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The L1 table and the L2 tables that it names: where each guest cluster's entry is. Specification:
 * "Cluster mapping". The slices of all L2 tables are numbered in guest order.
 */
final class ClusterTables {
  /** Entries of a slice of the L1 table. */
  private static final int L1_SLICE = TableKind.MAX_SLICE / Long.BYTES;

  private final HostFile file;
  private final TableCache cache;
  private final int clusterBits;
  private final int tableBits;
  private final int entryBytes;
  private final int sliceBytes;
  private final long l1TableOffset;
  private final long tables;
  private final TableKind l1;
  private final TableKind l2;

  /** L2 tables that were made where nothing had ever been written; under the metadata lock. */
  private final BitSet made = new BitSet();

  /** The tables of the disk as it is now. */
  ClusterTables(HostFile file, Qcow2Header header, TableCache cache) {
    this(file, header, cache, header.l1TableOffset, header.l1Entries, header.virtualSize);
  }

  /**
   * The tables of any state of the disk.
   *
   * @param l1Entries fewer than the size takes: what they do not reach has no table
   */
  ClusterTables(
      HostFile file,
      Qcow2Header header,
      TableCache cache,
      long l1TableOffset,
      int l1Entries,
      long virtualSize) {
    this.file = file;
    this.cache = cache;
    this.clusterBits = header.clusterBits;
    this.entryBytes = header.l2EntryBytes();
    this.tableBits =
        2 * clusterBits - Integer.numberOfTrailingZeros(entryBytes); // guest bytes of a table
    this.sliceBytes = Math.min(TableKind.MAX_SLICE, header.clusterSize());
    this.l1TableOffset = l1TableOffset;
    this.tables = Math.min(l1Entries, header.l1EntriesFor(virtualSize));
    this.l1 = cache.add(new L1Table(l1Entries));
    this.l2 = cache.add(new L2Tables());
  }

  private final class L1Table extends TableKind {
    L1Table(int entries) {
      super(
          "L1 table",
          file,
          ByteOrder.BIG_ENDIAN,
          MAX_SLICE,
          (long) entries * Long.BYTES,
          WriteStage.L1_TABLE);
    }

    @Override
    protected long position(Hold hold, long index) {
      return l1TableOffset + index * MAX_SLICE;
    }
  }

  private final class L2Tables extends TableKind {
    L2Tables() {
      super(
          "L2 table",
          file,
          ByteOrder.BIG_ENDIAN,
          sliceBytes,
          tables << clusterBits,
          WriteStage.L2_TABLE);
    }

    @Override
    protected boolean isNew(long index) {
      return made.get((int) (index / slicesPerTable()));
    }

    @Override
    protected long position(Hold hold, long index) throws IOException {
      long table = index / slicesPerTable();
      long offset = l2Offset(l1Entry(l1Slice(hold, table), table), table);
      return offset == 0 ? 0 : offset + index % slicesPerTable() * sliceBytes;
    }
  }

  int slicesPerTable() {
    return (1 << clusterBits) / sliceBytes;
  }

  /** Entries of a slice. */
  int perSlice() {
    return sliceBytes / entryBytes;
  }

  /** The slice that the entry of the cluster at a guest offset lies in. */
  private long sliceOf(long guestOffset) {
    return (guestOffset >>> clusterBits) / perSlice();
  }

  /** Which entry of its slice belongs to the cluster at a guest offset. */
  int indexOf(long guestOffset) {
    return (int) ((guestOffset >>> clusterBits) % perSlice());
  }

  /** The L2 table that the entry of the cluster at a guest offset lies in. */
  private long tableOf(long guestOffset) {
    return guestOffset >>> tableBits;
  }

  /** Guest bytes of an L2 table. */
  long coverage() {
    return 1L << tableBits;
  }

  /**
   * The slice of entries for a guest offset, without a lock if it is in memory.
   *
   * @return null if there is no L2 table
   */
  @Nullable Slice entries(long guestOffset) throws IOException {
    long table = tableOf(guestOffset);
    if (table >= tables) {
      return null;
    }
    long index = sliceOf(guestOffset);
    Slice slice = cache.peek(l2, index);
    if (slice != null) {
      return slice;
    }
    Slice names = cache.peek(l1, table / L1_SLICE);
    if (names != null && (l1Entry(names, table) & L2Entry.OFFSET) == 0) {
      return null;
    }
    return cache.load(l2, index);
  }

  /** The same under the metadata lock. */
  @Nullable Slice entries(Hold hold, long guestOffset) throws IOException {
    return hold.slice(l2, sliceOf(guestOffset));
  }

  private Slice l1Slice(Hold hold, long table) throws IOException {
    return Objects.requireNonNull(hold.slice(l1, table / L1_SLICE));
  }

  private static long l1Entry(Slice names, long table) {
    return names.word((int) (table % L1_SLICE));
  }

  private long l2Offset(long l1Entry, long table) throws CorruptImageException {
    long offset = l1Entry & L2Entry.OFFSET;
    if (offset % (1L << clusterBits) != 0) {
      throw new CorruptImageException(
          file.name()
              + ": L1 entry "
              + table
              + " at "
              + (l1TableOffset + table * Long.BYTES)
              + " names an L2 table at "
              + offset
              + ", which is not cluster aligned");
    }
    return offset;
  }

  /** Where the L2 table for a guest offset lies; 0 if there is none. */
  long tableOffset(Hold hold, long guestOffset) throws IOException {
    long table = tableOf(guestOffset);
    return l2Offset(l1Entry(l1Slice(hold, table), table), table);
  }

  /** Whether the L2 table for a guest offset is there and nobody else's. */
  boolean isOwned(Hold hold, long guestOffset) throws IOException {
    long table = tableOf(guestOffset);
    return isOwned(l1Entry(l1Slice(hold, table), table));
  }

  /** The same without a lock; false also where the L1 table's slice is not in memory. */
  boolean isKnownOwned(long guestOffset) {
    long table = tableOf(guestOffset);
    Slice names = cache.peek(l1, table / L1_SLICE);
    return names != null && isOwned(l1Entry(names, table));
  }

  private static boolean isOwned(long l1Entry) {
    return (l1Entry & L2Entry.COPIED) != 0 && (l1Entry & L2Entry.OFFSET) != 0;
  }

  /** Sees that all of the L2 table for a guest offset is in memory. */
  void lookUpTable(Hold hold, long guestOffset) throws IOException {
    long first = tableOf(guestOffset) * slicesPerTable();
    for (int i = 0; i < slicesPerTable(); i++) {
      Slice unused = hold.slice(l2, first + i);
    }
  }

  /**
   * Makes an empty L2 table for a guest offset in a cluster that was taken for it. Dirties slices
   * of it and one of the L1 table, which {@link #tableOffset} has looked up.
   *
   * @param zeroed whether the cluster was never written: then only the slice that is wanted is
   *     made, and the last, so that the file reaches as far as the table before anything names it
   */
  void create(Hold hold, long guestOffset, long fileOffset, boolean zeroed) throws IOException {
    long table = tableOf(guestOffset);
    Slice names = l1Slice(hold, table);
    int last = slicesPerTable() - 1;
    for (int i = 0; i <= last; i++) {
      long slice = table * slicesPerTable() + i;
      if (!zeroed || i == last || slice == sliceOf(guestOffset)) {
        hold.create(l2, slice, fileOffset + (long) i * sliceBytes);
      }
    }
    if (zeroed) {
      made.set((int) table);
    }
    hold.set(names, (int) (table % L1_SLICE), fileOffset | L2Entry.COPIED);
  }

  /**
   * Moves an L2 table that others refer to, too: what lies in its old place is theirs. Dirties all
   * its slices, which {@link #lookUpTable} has looked up, and one of the L1 table.
   */
  void move(Hold hold, long guestOffset, long fileOffset) throws IOException {
    long table = tableOf(guestOffset);
    Slice names = l1Slice(hold, table);
    for (int i = 0; i < slicesPerTable(); i++) {
      Slice slice = Objects.requireNonNull(hold.slice(l2, table * slicesPerTable() + i));
      hold.move(slice, fileOffset + (long) i * sliceBytes);
    }
    hold.set(names, (int) (table % L1_SLICE), fileOffset | L2Entry.COPIED);
  }
}
