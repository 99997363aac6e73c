package io.vdisk.format.vmdk;

/** Which cells of a file are in use; a bit for each, in pieces that exist once they are needed. */
final class SpaceBits {
  private static final int PIECE_BITS = 16;
  private static final int WORDS = 1 << (PIECE_BITS - 6);

  private final int cellBits;
  private final long cells;
  private final long[][] pieces;

  /**
   * Of a file of so many bytes, all free.
   *
   * @param cell bytes, a power of two
   */
  SpaceBits(long bytes, long cell) {
    this.cellBits = Long.numberOfTrailingZeros(cell);
    this.cells = (bytes + cell - 1) >>> cellBits;
    this.pieces = new long[Math.toIntExact((cells >>> PIECE_BITS) + 1)][];
  }

  /** Marks every cell that a range touches. */
  void mark(long offset, long length) {
    long unused = fill(offset >>> cellBits, (offset + length + (1L << cellBits) - 1) >>> cellBits);
    assert unused >= 0;
  }

  /** Marks the cells that lie whole in a range; false if one of them was marked before. */
  boolean claim(long offset, long length) {
    return fill((offset + (1L << cellBits) - 1) >>> cellBits, (offset + length) >>> cellBits) == 0;
  }

  /** Marks cells; how many were marked already. */
  private long fill(long from, long to) {
    long before = 0;
    for (long cell = from; cell < Math.min(to, cells); ) {
      long[] piece = piece(cell);
      int word = (int) (cell >>> 6) & (WORDS - 1);
      int bit = (int) cell & 63;
      int count = (int) Math.min(64 - bit, Math.min(to, cells) - cell);
      long mask = (count == 64 ? -1L : (1L << count) - 1) << bit;
      before += Long.bitCount(piece[word] & mask);
      piece[word] |= mask;
      cell += count;
    }
    return before;
  }

  /** Frees the cells that lie whole in a range. */
  void free(long offset, long length) {
    long to = Math.min(cells, (offset + length) >>> cellBits);
    for (long cell = (offset + (1L << cellBits) - 1) >>> cellBits; cell < to; cell++) {
      piece(cell)[(int) (cell >>> 6) & (WORDS - 1)] &= ~(1L << (cell & 63));
    }
  }

  private long[] piece(long cell) {
    int at = (int) (cell >>> PIECE_BITS);
    long[] piece = pieces[at];
    if (piece == null) {
      piece = new long[WORDS];
      pieces[at] = piece;
    }
    return piece;
  }

  /** Told of a run of cells that are free. */
  @FunctionalInterface
  interface Gap {
    void run(long offset, long bytes);
  }

  /** Tells of every gap before {@code end}, a multiple of the cell. */
  void forEachGap(long start, long end, Gap gap) {
    long first = -1;
    long last = end >>> cellBits;
    for (long cell = (start + (1L << cellBits) - 1) >>> cellBits; cell <= last; cell++) {
      boolean isFree = cell < last && !isMarked(cell);
      if (isFree && first < 0) {
        first = cell;
      } else if (!isFree && first >= 0) {
        gap.run(first << cellBits, (cell - first) << cellBits);
        first = -1;
      }
    }
  }

  private boolean isMarked(long cell) {
    long[] piece = pieces[(int) (cell >>> PIECE_BITS)];
    return piece != null && (piece[(int) (cell >>> 6) & (WORDS - 1)] >>> (cell & 63) & 1) != 0;
  }
}
