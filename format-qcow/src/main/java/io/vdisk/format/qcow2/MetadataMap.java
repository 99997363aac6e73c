package io.vdisk.format.qcow2;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * Which clusters of the file hold metadata, and of which kind: what an image's tables say must not
 * make a write hit them. The kinds are those that QEMU looks for by default, and the encryption
 * header.
 *
 * <p>Looked into by many threads without a lock; changed under the metadata lock. It takes memory
 * in proportion to the L1 and refcount tables, not to the file. What a lookup finds is exact for
 * everything that was added before the request began.
 */
final class MetadataMap {
  /** What a cluster holds. */
  enum Kind {
    HEADER(1, "the header"),
    L1_TABLE(2, "the L1 table"),
    L2_TABLE(3, "an L2 table"),
    REFCOUNT_TABLE(4, "the refcount table"),
    REFCOUNT_BLOCK(5, "a refcount block"),
    SNAPSHOT_TABLE(6, "the snapshot table"),
    INACTIVE_L1(7, "the L1 table of a snapshot"),
    BITMAP_DIRECTORY(8, "the bitmap directory"),
    ENCRYPTION(9, "the encryption header"),
    /** Two kinds at once: neither may be written. */
    SEVERAL(10, "two kinds of metadata"),
    /** One table for several parts of the disk: a change would show in all. */
    SHARED_L2_TABLE(11, "an L2 table that is named twice");

    private static final Kind[] BY_CODE = new Kind[KIND_MASK + 1];

    static {
      for (Kind kind : values()) {
        BY_CODE[kind.code] = kind;
      }
    }

    private final int code;
    private final String phrase;

    Kind(int code, String phrase) {
      this.code = code;
      this.phrase = phrase;
    }

    /** For a message. */
    String phrase() {
      return phrase;
    }
  }

  private static final VarHandle SLOTS = MethodHandles.arrayElementVarHandle(long[].class);

  /** A place that held a cluster, which the search passes over. */
  private static final long REMOVED = -1;

  private static final int KIND_BITS = 4;
  private static final int KIND_MASK = (1 << KIND_BITS) - 1;
  private static final int SMALLEST = 64;

  /** What is read of a table at a time. */
  private static final int STEP = 1 << 20;

  private final int clusterBits;

  /**
   * Each a cluster's number plus 1 and its kind, at its hash or the next place that was free; 0:
   * none. At most half are used.
   */
  private volatile long[] slots = new long[SMALLEST];

  private int used;

  private MetadataMap(int clusterBits) {
    this.clusterBits = clusterBits;
  }

  /** Nothing is metadata: for what is not written. */
  static MetadataMap none() {
    return new MetadataMap(Long.SIZE - 1);
  }

  /**
   * What the tables in the file say.
   *
   * @throws io.vdisk.CorruptImageException if that of the snapshots cannot be
   */
  static MetadataMap of(HostFile file, Qcow2Header header) throws IOException {
    MetadataMap map = new MetadataMap(header.clusterBits);
    map.add(Kind.HEADER, 0, 1);
    map.add(Kind.L1_TABLE, header.l1TableOffset, (long) header.l1Entries * Long.BYTES);
    long tableBytes = header.refcountTableClusters << header.clusterBits;
    map.add(Kind.REFCOUNT_TABLE, header.refcountTableOffset, tableBytes);
    map.add(Kind.ENCRYPTION, header.luksOffset, header.luksLength);
    map.addNamed(
        file,
        header.l1TableOffset,
        (long) header.l1Entries * Long.BYTES,
        L2Entry.OFFSET,
        Kind.L2_TABLE);
    map.addNamed(
        file, header.refcountTableOffset, tableBytes, Refcounts.BLOCK_OFFSET, Kind.REFCOUNT_BLOCK);
    if (header.snapshots > 0) {
      SnapshotTable snapshots = SnapshotTable.read(file, header);
      map.add(Kind.SNAPSHOT_TABLE, header.snapshotsOffset, snapshots.bytes());
      Ranges tables = new Ranges(); // thousands may share one
      for (SnapshotEntry snapshot : snapshots.entries()) {
        snapshot.checkL1Place(file, header);
        tables.add(snapshot.l1Offset(), snapshot.l1Offset() + snapshot.l1Bytes());
      }
      tables.each((from, to, times) -> map.add(Kind.INACTIVE_L1, from, to - from));
    }
    if (header.bitmaps.isPresent()) {
      BitmapsExtension bitmaps = header.bitmaps.get();
      map.add(Kind.BITMAP_DIRECTORY, bitmaps.directoryOffset(), bitmaps.directorySize());
    }
    return map;
  }

  /** Adds the clusters that the words of a table name. */
  private void addNamed(HostFile file, long offset, long bytes, long mask, Kind kind)
      throws IOException {
    ByteBuffer words = ByteBuffer.allocate((int) Math.min(STEP, bytes));
    for (long done = 0; done < bytes; done += words.limit()) {
      words.clear().limit((int) Math.min(words.capacity(), bytes - done));
      file.readPadded(words, offset + done);
      words.flip();
      for (int i = 0; i < words.limit(); i += Long.BYTES) {
        long named = words.getLong(i) & mask;
        if (named > 0) {
          add(kind, named, 1);
        }
      }
    }
  }

  /** The clusters of this range hold metadata of this kind. */
  void add(Kind kind, long offset, long length) {
    if (length <= 0) {
      return;
    }
    long last = (offset + length - 1) >>> clusterBits;
    for (long cluster = offset >>> clusterBits; cluster <= last; cluster++) {
      put(cluster, kind);
    }
  }

  /** The clusters of this range hold no metadata any longer. */
  void remove(long offset, long length) {
    long last = (offset + length - 1) >>> clusterBits;
    for (long cluster = offset >>> clusterBits; cluster <= last; cluster++) {
      int at = find(slots, cluster);
      if (slots[at] != 0) {
        SLOTS.setRelease(slots, at, REMOVED);
      }
    }
  }

  /** Whether any cluster of this range holds metadata. */
  boolean isHit(long offset, long length) {
    long[] now = slots;
    if (clusterBits == Long.SIZE - 1) {
      return false;
    }
    long last = (offset + length - 1) >>> clusterBits;
    for (long cluster = offset >>> clusterBits; cluster <= last; cluster++) {
      if ((long) SLOTS.getAcquire(now, find(now, cluster)) != 0) {
        return true;
      }
    }
    return false;
  }

  /** Sees that new space in this range hits nothing. Under the metadata lock. */
  void checkFree(HostFile file, long offset, long length) throws OverlapException {
    long last = (offset + length - 1) >>> clusterBits;
    for (long cluster = offset >>> clusterBits; cluster <= last; cluster++) {
      long slot = slots[find(slots, cluster)];
      if (slot != 0) {
        throw new OverlapException(
            file.name()
                + ": the refcounts call space free that is in use: at offset "
                + (cluster << clusterBits)
                + " is "
                + kind(slot).phrase());
      }
    }
  }

  /** Whether the cluster at an offset holds this kind and nothing else. Under the metadata lock. */
  boolean isOnly(Kind kind, long offset) {
    long slot = slots[find(slots, offset >>> clusterBits)];
    return slot != 0 && kind(slot) == kind;
  }

  /** Whether the cluster at an offset holds anything but an L2 table. Under the metadata lock. */
  boolean isOtherThanL2Table(long offset) {
    long slot = slots[find(slots, offset >>> clusterBits)];
    return slot != 0 && kind(slot) != Kind.L2_TABLE && kind(slot) != Kind.SHARED_L2_TABLE;
  }

  private static Kind kind(long slot) {
    return Kind.BY_CODE[(int) (slot & KIND_MASK)];
  }

  private void put(long cluster, Kind kind) {
    long[] now = slots;
    int at = find(now, cluster);
    long old = now[at];
    Kind known = old == 0 ? kind : together(kind(old), kind);
    SLOTS.setRelease(now, at, (cluster + 1) << KIND_BITS | known.code);
    if (old == 0 && ++used > now.length / 2) {
      grow();
    }
  }

  private static Kind together(Kind old, Kind kind) {
    if (kind == Kind.L2_TABLE && (old == kind || old == Kind.SHARED_L2_TABLE)) {
      return Kind.SHARED_L2_TABLE;
    }
    return old == kind ? kind : Kind.SEVERAL;
  }

  private void grow() {
    long[] now = slots;
    long[] larger = new long[2 * now.length];
    used = 0;
    for (long slot : now) {
      if (slot != 0 && slot != REMOVED) {
        larger[find(larger, (slot >>> KIND_BITS) - 1)] = slot;
        used++;
      }
    }
    slots = larger;
  }

  /** Where a cluster is, or else the free place where the search for it ends. */
  private static int find(long[] slots, long cluster) {
    int mask = slots.length - 1;
    int at = (int) ((cluster * 0x9e37_79b9_7f4a_7c15L) >>> 32) & mask;
    while (true) {
      long slot = (long) SLOTS.getAcquire(slots, at);
      if (slot == 0 || (slot != REMOVED && slot >>> KIND_BITS == cluster + 1)) {
        return at;
      }
      at = (at + 1) & mask;
    }
  }
}
