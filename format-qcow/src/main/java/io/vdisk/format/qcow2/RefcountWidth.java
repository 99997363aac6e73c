package io.vdisk.format.qcow2;

/**
 * How counts of 1 to 64 bits lie in a refcount block. Specification: "Refcount table entry",
 * "Refcount block entry": several in a byte begin at its least significant bit, wider ones are
 * big-endian. Words are 8 bytes of a block, big-endian.
 *
 * @param order 0 to 6: the width is {@code 1 << order} bits
 */
record RefcountWidth(int order) {
  private static final int BYTE_ORDER = 3;
  private static final int WORD_ORDER = 6;

  /** Counts in a word. */
  int perWord() {
    return 1 << (WORD_ORDER - order);
  }

  /** Counts in this many bytes. */
  long in(long bytes) {
    return (bytes * Byte.SIZE) >>> order;
  }

  /** The largest count; of 64 bits, the largest that we count to. */
  long max() {
    return order == WORD_ORDER ? Long.MAX_VALUE : (1L << (1 << order)) - 1;
  }

  /** A word of counts that all are 1. */
  long ones() {
    long word = 0;
    for (int i = 0; i < perWord(); i++) {
      word = with(word, i, 1);
    }
    return word;
  }

  long get(long word, int i) {
    return (word >>> shift(i)) & mask();
  }

  long with(long word, int i, long count) {
    return (word & ~(mask() << shift(i))) | (count << shift(i));
  }

  private long mask() {
    return order == WORD_ORDER ? -1 : (1L << (1 << order)) - 1;
  }

  private int shift(int i) {
    int bits = 1 << order;
    if (order >= BYTE_ORDER) {
      return Long.SIZE - bits * (i + 1);
    }
    int perByte = Byte.SIZE / bits;
    return Long.SIZE - Byte.SIZE * (i / perByte + 1) + i % perByte * bits;
  }
}
