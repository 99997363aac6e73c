package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.NoSpaceException;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.SpaceMap;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.WriteBack;
import java.io.IOException;
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
  /** Bits 9 to 63 of an entry of the refcount table. */
  static final long BLOCK_OFFSET = ~0x1ffL;

  private final HostFile file;
  private final TableCache cache;
  private final WriteBack<WriteStage> writeBack;
  private final MetadataMap metadata;
  private final RefcountTables tables;
  private final int clusterBits;

  // Under the metadata lock:
  private final SpaceMap free = new SpaceMap();

  /** The next cluster whose count was not looked at. */
  private long cursor = 1;

  /** From here on the file has never been written. */
  private long untouched;

  Refcounts(
      HostFile file,
      Qcow2Header header,
      TableCache cache,
      WriteBack<WriteStage> writeBack,
      Quarantine quarantine,
      MetadataMap metadata)
      throws IOException {
    this.file = file;
    this.cache = cache;
    this.writeBack = writeBack;
    this.metadata = metadata;
    this.clusterBits = header.clusterBits;
    this.untouched = (file.size() + clusterSize() - 1) & -clusterSize();
    this.tables = new RefcountTables(file, header, cache, quarantine, metadata);
  }

  private long clusterSize() {
    return 1L << clusterBits;
  }

  /** Sees that the count of a cluster is in memory: before a body changes anything. */
  void lookUp(Hold hold, long cluster) throws IOException {
    Slice unused = tables.counts(hold, cluster);
  }

  /** How often a cluster is counted. */
  long count(Hold hold, long cluster) throws IOException {
    Slice counts = tables.counts(hold, cluster);
    return counts == null ? 0 : tables.get(counts, cluster);
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
    long first = run.offset() >>> clusterBits;
    long perSlice = tables.perSlice();
    long clusters = Math.min(run.length() >>> clusterBits, perSlice - first % perSlice);
    return take(hold, run, clusters << clusterBits);
  }

  /** Counts the first bytes of a run that was free; what is left of it stays so. */
  private Space take(Hold hold, SpaceMap.Run run, long length) throws IOException {
    boolean taken = false;
    try {
      long first = run.offset() >>> clusterBits;
      long end = first + (length >>> clusterBits);
      metadata.checkFree(file, run.offset(), length);
      for (long cluster = first; cluster < end; cluster += tables.perSlice()) {
        checkCounts(hold, cluster);
      }
      checkCounts(hold, end - 1);
      for (long cluster = first; cluster < end; cluster++) {
        Slice counts = Objects.requireNonNull(tables.counts(hold, cluster));
        tables.set(hold, counts, cluster, 1);
      }
      taken = true;
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

  private void checkCounts(Hold hold, long cluster) throws IOException {
    if (tables.counts(hold, cluster) == null) {
      throw new CorruptImageException(
          file.name() + ": nothing counts the cluster at offset " + (cluster << clusterBits));
    }
    tables.checkBlock(hold, cluster);
  }

  /**
   * Neighbouring clusters that were taken.
   *
   * @param offset in the host file
   * @param length bytes
   * @param zeroed whether they were never written
   */
  record Space(long offset, long length, boolean zeroed) {}

  /**
   * Takes neighbouring clusters for a table that must lie in one piece. Called without the metadata
   * lock. Counted once from now on.
   *
   * @param bytes at least 1; rounded up to clusters
   */
  Space takeRun(long bytes) throws IOException {
    long length = (bytes + clusterSize() - 1) & -clusterSize();
    int slices = Math.toIntExact((length >>> clusterBits) / tables.perSlice() + 2);
    while (true) {
      Space[] made = new Space[1];
      boolean goOn =
          reserved(
              slices,
              hold -> {
                while (true) {
                  SpaceMap.Run run = free.take(length, length);
                  if (run != null) {
                    made[0] = take(hold, run, length);
                    return true;
                  }
                  if (!scan(hold)) {
                    return false;
                  }
                }
              });
      if (goOn) {
        return Objects.requireNonNull(made[0]);
      }
      extend(length >>> clusterBits);
    }
  }

  /**
   * Adds the free clusters of the next slice of counts.
   *
   * @return false if there is no such slice
   */
  private boolean scan(Hold hold) throws IOException {
    if (cursor >= tables.maxClusters()) {
      throw new NoSpaceException(
          file.name() + " cannot be larger than " + RefcountTables.MAX_FILE_BYTES);
    }
    tables.checkRoom(cursor + 1);
    Slice counts = tables.counts(hold, cursor);
    if (counts == null) {
      return false;
    }
    long end = cursor - cursor % tables.perSlice() + tables.perSlice();
    end = Math.min(end, file.capacity() >>> clusterBits);
    for (long cluster = cursor; cluster < end; cluster++) {
      if (tables.get(counts, cluster) == 0) {
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
    add(1, hold -> free.bytes() > 0 || tables.counts(hold, cursor) != null);
  }

  /** The same for a range in which so many clusters follow each other. */
  private void extend(long clusters) throws IOException {
    long blocks = 1;
    while (blocks * tables.perBlock() < blocks + clusters) {
      blocks++;
    }
    add(blocks, hold -> tables.counts(hold, cursor) != null);
  }

  /** Adds blocks where the cursor is, unless somebody else was first. */
  private void add(long blocks, TableCache.Body<Boolean> isThere) throws IOException {
    boolean done =
        reserved(
            tables.slicesFor(blocks),
            hold -> {
              if (isThere.run(hold)) {
                return true;
              }
              long first = cursor;
              if (!tables.addBlocks(hold, first, blocks)) {
                return false;
              }
              passTo(first + blocks);
              return true;
            });
    if (!done) {
      moveTable(blocks, isThere);
    }
  }

  private void moveTable(long blocks, TableCache.Body<Boolean> isThere) throws IOException {
    int slices = cache.locked(hold -> tables.slicesFor(tables.planMove(hold, blocks)));
    boolean unused =
        reserved(
            slices,
            hold -> {
              if (isThere.run(hold)) {
                return true;
              }
              if (tables.hasEntries(hold, cursor, blocks)) {
                return true; // somebody else moved it
              }
              RefcountTables.Move move = tables.planMove(hold, blocks);
              tables.move(hold, move);
              passTo(move.end());
              return true;
            });
  }

  /** The cursor goes on behind new metadata. */
  private void passTo(long cluster) {
    untouched = Math.max(untouched, cluster << clusterBits);
    cursor = cluster;
  }

  private boolean reserved(int slices, TableCache.Body<Boolean> body) throws IOException {
    writeBack.reserve(slices);
    try {
      return cache.locked(body);
    } finally {
      writeBack.release(slices);
    }
  }

  /** Counts a cluster once more; false if its count is the largest already. Dirties one slice. */
  boolean increment(Hold hold, long cluster) throws IOException {
    Slice counts = tables.counts(hold, cluster);
    if (counts == null) {
      throw new CorruptImageException(
          file.name() + ": nothing counts the cluster at offset " + (cluster << clusterBits));
    }
    tables.checkBlock(hold, cluster);
    long count = tables.get(counts, cluster);
    if (count >= tables.max()) {
      return false;
    }
    tables.set(hold, counts, cluster, count + 1);
    return true;
  }

  /**
   * Counts each cluster of a range once more, from the first on, as long as that goes. Called
   * without the metadata lock.
   *
   * @return how many clusters that were; fewer if the count of the next is the largest already
   */
  long incrementAll(long first, long clusters) throws IOException {
    long[] done = new long[1];
    while (done[0] < clusters) {
      long from = first + done[0];
      long to = Math.min(first + clusters, from - from % tables.perSlice() + tables.perSlice());
      boolean goesOn =
          reserved(
              1,
              hold -> {
                for (long cluster = from; cluster < to; cluster++) {
                  if (!increment(hold, cluster)) {
                    return false;
                  }
                  done[0]++;
                }
                return true;
              });
      if (!goesOn) {
        break;
      }
    }
    return done[0];
  }

  /** The same as {@link #decrementAll} for the clusters that hold some bytes; maybe none. */
  void free(long offset, long bytes) throws IOException {
    decrementAll(offset >>> clusterBits, (bytes + clusterSize() - 1) >>> clusterBits);
  }

  /**
   * Counts each cluster of a range once less, when nothing on disk names it any longer; space that
   * nothing uses then is given back to the host. Called without the metadata lock.
   */
  void decrementAll(long first, long clusters) throws IOException {
    for (long from = first; from < first + clusters; ) {
      long start = from;
      long to = Math.min(first + clusters, from - from % tables.perSlice() + tables.perSlice());
      List<SpaceMap.Run> freed = new ArrayList<>();
      boolean done =
          reserved(
              1,
              hold -> {
                for (long cluster = start; cluster < to; cluster++) {
                  if (count(hold, cluster) == 1) {
                    freed.add(new SpaceMap.Run(cluster << clusterBits, clusterSize()));
                  }
                  decrement(hold, cluster);
                }
                return true;
              });
      assert done;
      for (SpaceMap.Run run : freed) {
        boolean unused = file.zero(run.offset(), run.length(), false);
      }
      from = to;
    }
  }

  /**
   * Counts a cluster once less, and offers it again if that was the last. What is counted not at
   * all stays so: a check will tell. Dirties one slice.
   */
  void decrement(Hold hold, long cluster) throws IOException {
    Slice counts = tables.counts(hold, cluster);
    long count = counts == null ? 0 : tables.get(counts, cluster);
    if (counts == null || count == 0) {
      return;
    }
    tables.checkBlock(hold, cluster);
    tables.set(hold, counts, cluster, count - 1);
    if (count == 1) {
      free.add(cluster << clusterBits, clusterSize());
    }
  }
}
