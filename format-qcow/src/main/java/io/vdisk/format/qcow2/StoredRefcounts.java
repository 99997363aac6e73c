package io.vdisk.format.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The refcounts of an image, as they lie in the file. One thread. */
final class StoredRefcounts {
  private static final ByteBuffer NONE = ByteBuffer.allocate(0);

  /** Bits of an entry of the refcount table that must be 0. */
  private static final long TABLE_RESERVED = 0x1ff;

  private final CheckedImage image;
  private final RefcountWidth width;

  /** A word of counts that all are 1. */
  private final long ones;

  private final long tableOffset;
  private final long tableBytes;
  private final ByteBuffer table;

  /** The block that {@link #counted} looked at last. */
  private long lastBlock = -1;

  private @Nullable ByteBuffer lastCounts = NONE;

  StoredRefcounts(CheckedImage image) throws IOException {
    this.image = image;
    this.width = new RefcountWidth(image.header.refcountOrder);
    this.ones = width.ones();
    // A table that moved is where the file says, not where it was when it was opened.
    ByteBuffer pointer = image.read(Qcow2Header.REFCOUNT_TABLE_OFFSET.offset(), 16);
    this.tableOffset = pointer.getLong(0);
    long bytes = Integer.toUnsignedLong(pointer.getInt(8)) << image.clusterBits;
    this.tableBytes = Math.min(bytes, Qcow2Header.MAX_REFCOUNT_TABLE_BYTES);
    this.table = image.read(tableOffset, tableBytes);
  }

  long tableOffset() {
    return tableOffset;
  }

  long tableBytes() {
    return tableBytes;
  }

  /** Entries of the refcount table. */
  int blocks() {
    return table.limit() / Long.BYTES;
  }

  /** Counts of a block. */
  long perBlock() {
    return width.in(image.clusterSize);
  }

  RefcountWidth width() {
    return width;
  }

  /** Where a block lies, as its entry says; 0 if there is none. */
  long blockOffset(long block) {
    return block < blocks() ? table.getLong((int) block * Long.BYTES) & Refcounts.BLOCK_OFFSET : 0;
  }

  /** Whether a block's entry has bits set that must be 0. */
  boolean hasReservedBits(int block) {
    return (table.getLong(block * Long.BYTES) & TABLE_RESERVED) != 0;
  }

  /**
   * The counts of a block; empty if there is none.
   *
   * @return null if the refcount table's entry cannot be
   */
  @Nullable ByteBuffer block(long block) throws IOException {
    long offset = blockOffset(block);
    if (offset < 0 || !image.isAligned(offset)) {
      return null;
    }
    return offset == 0 ? NONE : image.read(offset, image.clusterSize);
  }

  /** How often the cluster at an offset is counted; -1 if nobody can tell. */
  long counted(long offset) throws IOException {
    long cluster = image.cluster(offset);
    if (lastBlock != cluster / perBlock()) {
      lastBlock = cluster / perBlock();
      lastCounts = block(lastBlock);
    }
    return lastCounts == null ? -1 : count(lastCounts, cluster % perBlock());
  }

  /** The i-th count of a block. */
  long count(ByteBuffer counts, long i) {
    if (counts.limit() == 0) {
      return 0;
    }
    int perWord = width.perWord();
    return width.get(counts.getLong((int) (i / perWord) * Long.BYTES), (int) (i % perWord));
  }

  /** Changes the i-th count of a block in memory. */
  void setCount(ByteBuffer counts, long i, long count) {
    int perWord = width.perWord();
    int at = (int) (i / perWord) * Long.BYTES;
    counts.putLong(at, width.with(counts.getLong(at), (int) (i % perWord), count));
  }

  /** How many counts from the i-th on are 1, as nearly all are; in whole words. */
  long countOnes(ByteBuffer counts, int i) {
    int perWord = width.perWord();
    if (i % perWord != 0) {
      return 0;
    }
    int from = i / perWord * Long.BYTES;
    int at = from;
    while (at < counts.limit() && counts.getLong(at) == ones) {
      at += Long.BYTES;
    }
    return (long) (at - from) / Long.BYTES * perWord;
  }
}
