package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The L1 table and the L2 tables that it names: where each guest cluster's entry is. Specification:
 * "Cluster mapping". The slices of all L2 tables are numbered in guest order.
 */
final class ClusterTables {
  private final HostFile file;
  private final TableCache cache;
  private final int clusterBits;
  private final int sliceBytes;
  private final long l1TableOffset;
  private final TableKind l1;
  private final TableKind l2;

  ClusterTables(HostFile file, Qcow2Header header, TableCache cache) {
    this.file = file;
    this.cache = cache;
    this.clusterBits = header.clusterBits;
    this.sliceBytes = Math.min(TableKind.MAX_SLICE, header.clusterSize());
    this.l1TableOffset = header.l1TableOffset;
    this.l1 = cache.add(new L1Table(header.l1Entries));
    this.l2 = cache.add(new L2Tables(header.l1EntriesNeeded()));
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
    L2Tables(long tables) {
      super(
          "L2 table",
          file,
          ByteOrder.BIG_ENDIAN,
          sliceBytes,
          tables << clusterBits,
          WriteStage.L2_TABLE);
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
    return sliceBytes / Long.BYTES;
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
  long tableOf(long guestOffset) {
    return guestOffset >>> (clusterBits + clusterBits - 3);
  }

  /** Guest bytes of an L2 table. */
  long coverage() {
    return 1L << (clusterBits + clusterBits - 3);
  }

  /**
   * The slice of entries for a guest offset, without a lock if it is in memory.
   *
   * @return null if there is no L2 table
   */
  @Nullable Slice entries(long guestOffset) throws IOException {
    long index = sliceOf(guestOffset);
    Slice slice = cache.peek(l2, index);
    if (slice != null) {
      return slice;
    }
    long table = tableOf(guestOffset);
    Slice names = cache.peek(l1, table / (TableKind.MAX_SLICE / Long.BYTES));
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
    return Objects.requireNonNull(hold.slice(l1, table / (TableKind.MAX_SLICE / Long.BYTES)));
  }

  private static long l1Entry(Slice names, long table) {
    return names.word((int) (table % (TableKind.MAX_SLICE / Long.BYTES)));
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

  /** Whether there is an L2 table for a guest offset. */
  boolean hasTable(Hold hold, long guestOffset) throws IOException {
    long table = tableOf(guestOffset);
    return l2Offset(l1Entry(l1Slice(hold, table), table), table) != 0;
  }

  /**
   * Makes an empty L2 table for a guest offset in a cluster that was taken for it. Dirties its
   * slices and one of the L1 table, which {@link #hasTable} has looked up.
   */
  void create(Hold hold, long guestOffset, long fileOffset) throws IOException {
    long table = tableOf(guestOffset);
    Slice names = l1Slice(hold, table);
    for (int i = 0; i < slicesPerTable(); i++) {
      hold.create(l2, table * slicesPerTable() + i, fileOffset + (long) i * sliceBytes);
    }
    int word = (int) (table % (TableKind.MAX_SLICE / Long.BYTES));
    hold.set(names, word, fileOffset | L2Entry.COPIED);
  }
}
