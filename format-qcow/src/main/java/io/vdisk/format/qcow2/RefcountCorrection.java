package io.vdisk.format.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Corrects refcounts in the blocks that there are. Each count that is written is the number of
 * references, and nothing is moved, so that it can be cut anywhere. One thread.
 */
final class RefcountCorrection {
  private static final int SECTOR = 512;

  private final CheckedImage image;
  private final StoredRefcounts stored;
  private final References references;

  /** Counts that are too low are raised; those that are too high are lowered in any case. */
  private final boolean raise;

  private boolean hasWritten;

  RefcountCorrection(
      CheckedImage image, StoredRefcounts stored, References references, boolean raise) {
    this.image = image;
    this.stored = stored;
    this.references = references;
    this.raise = raise;
  }

  /**
   * Corrects, without flushing.
   *
   * @return whether anything was wrong
   */
  boolean correct() throws IOException {
    long clusters = Math.max(image.clusters(), references.end());
    long perBlock = stored.perBlock();
    for (long block = 0; block < stored.blocks() && block * perBlock < clusters; block++) {
      ByteBuffer counts = stored.block(block);
      if (counts != null && counts.limit() > 0) {
        long first = block * perBlock;
        correct(counts, first, Math.min(clusters - first, perBlock), stored.blockOffset(block));
      }
    }
    return hasWritten;
  }

  private void correct(ByteBuffer counts, long first, long clusters, long offset)
      throws IOException {
    long from = -1;
    long to = 0;
    for (int i = 0; i < clusters; i++) {
      long counted = stored.count(counts, i);
      long referred = references.get(first + i);
      int order = Long.compareUnsigned(counted, referred);
      if (order > 0 || (order < 0 && raise)) {
        stored.setCount(counts, i, referred);
        from = from < 0 ? i : from;
        to = i + 1L;
      }
    }
    if (from >= 0) {
      write(counts, from, to, offset);
    }
  }

  /** Writes the sectors that hold a range of counts. */
  private void write(ByteBuffer counts, long from, long to, long offset) throws IOException {
    int bits = 1 << stored.width().order();
    int start = (int) (from * bits / Byte.SIZE / SECTOR * SECTOR);
    int end = (int) ((to * bits - 1) / Byte.SIZE / SECTOR * SECTOR + SECTOR);
    image.file.write(counts.slice(start, end - start), offset + start);
    hasWritten = true;
  }
}
