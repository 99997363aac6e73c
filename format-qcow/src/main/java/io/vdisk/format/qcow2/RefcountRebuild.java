package io.vdisk.format.qcow2;

import com.google.common.math.LongMath;
import io.vdisk.ImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.NoSpaceException;
import java.io.IOException;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Makes refcount table and blocks anew, in a new place, of what a check has counted, and switches
 * the header to them: when they cannot be mended, or when counts are to have another width.
 *
 * <p>The new structure lies behind the file's end, or in clusters that nothing refers to where the
 * file cannot grow, and never over the old one. It is durable before the header names it, which is
 * one write within a sector, and durable when {@link #rebuild} returns: a cut at any instant leaves
 * the old structure or the new one. What the old one took is free then.
 *
 * <p>Works on the file alone, with nothing cached. One thread, used once.
 */
final class RefcountRebuild {
  private final CheckedImage image;
  private final HostFile file;
  private final ReferenceCounter counter;
  private final RefcountWidth width;
  private final long perBlock;

  /** What the new structure takes itself. */
  private References own = new References();

  /** Where the new blocks lie: numbers of clusters, 0 where there is none. */
  private long[] blocks = {};

  private long tableCluster;

  /**
   * Prepares.
   *
   * @param counter what the image refers to
   * @param width how wide the new counts are
   */
  RefcountRebuild(CheckedImage image, ReferenceCounter counter, RefcountWidth width) {
    this.image = image;
    this.file = image.file;
    this.counter = counter;
    this.width = width;
    this.perBlock = width.in(image.clusterSize);
  }

  /**
   * Does it.
   *
   * <p>If it throws, the image is as it was, its file perhaps longer.
   *
   * @throws NoSpaceException if there is no room
   * @throws UnsupportedImageException if a count does not fit the width, or the table its limit
   */
  void rebuild() throws IOException {
    if (!plan(image.clusters()) && !plan(1)) {
      throw new NoSpaceException(file.name() + ": no room for new refcounts");
    }
    for (int i = 0; i < blocks.length; i++) {
      if (blocks[i] != 0) {
        file.write(block(i), blocks[i] << image.clusterBits);
      }
    }
    file.write(table(), tableCluster << image.clusterBits);
    file.flush();
    switchHeader();
    file.flush();
  }

  /** Finds places from a cluster on; false if there are not enough. */
  private boolean plan(long from) throws IOException {
    for (long tableClusters = 1; ; ) {
      own = new References();
      blocks = new long[0];
      FreeClusters free = new FreeClusters(image, counter, from);
      long table = take(free, tableClusters);
      if (table == 0 || !placeBlocks(free, table, tableClusters)) {
        return false;
      }
      long needed =
          LongMath.divide(
              (long) blocks.length * Long.BYTES, image.clusterSize, RoundingMode.CEILING);
      if (needed <= tableClusters) {
        tableCluster = table;
        blocks = Arrays.copyOf(blocks, (int) (tableClusters * image.clusterSize / Long.BYTES));
        return true;
      }
      tableClusters = needed;
    }
  }

  /** Finds places for the blocks of all that is counted, themselves included. */
  private boolean placeBlocks(FreeClusters free, long table, long tableClusters)
      throws IOException {
    Deque<Long> wanted = new ArrayDeque<>();
    for (long i = 0; i < tableClusters; i++) {
      wanted.add((table + i) / perBlock);
    }
    long end = Math.max(counter.references.end(), counter.dangling.end());
    for (long block = 0; block * perBlock < end; block++) {
      if (isNeeded(block)) {
        wanted.add(block);
      }
    }
    while (!wanted.isEmpty()) {
      long block = wanted.remove();
      grow(block);
      if (blocks[(int) block] == 0) {
        long place = take(free, 1);
        if (place == 0) {
          return false;
        }
        blocks[(int) block] = place;
        wanted.add(place / perBlock);
      }
    }
    return true;
  }

  private void grow(long block) throws ImageException {
    if (block >= Qcow2Header.MAX_REFCOUNT_TABLE_BYTES / Long.BYTES) {
      throw new UnsupportedImageException(
          file.name() + ": a refcount table for block " + block + " is larger than can be");
    }
    if (block >= blocks.length) {
      blocks = Arrays.copyOf(blocks, (int) block + 1);
    }
  }

  private boolean isNeeded(long block) {
    long stop = (block + 1) * perBlock;
    for (long at = nextUsed(block * perBlock); at < stop; at = nextUsed(at + 1)) {
      if (count(at) > 0) {
        return true;
      }
    }
    return false;
  }

  private long nextUsed(long cluster) {
    return Math.min(counter.references.next(cluster), counter.dangling.next(cluster));
  }

  /** Takes so many free clusters that follow each other; the first, or 0 if there are none. */
  private long take(FreeClusters free, long clusters) {
    long first = free.take(clusters);
    if (first > 0) {
      own.addFirst(first, clusters, 1);
    }
    return first;
  }

  /** How often the new structure counts a cluster. */
  private long count(long cluster) {
    return counter.references.get(cluster)
        - counter.structure.get(cluster)
        + counter.dangling.get(cluster)
        + own.get(cluster);
  }

  /** A block as it is to be written. */
  private ByteBuffer block(int i) throws ImageException {
    ByteBuffer bytes = ByteBuffer.allocate((int) image.clusterSize);
    int perWord = width.perWord();
    long cluster = i * perBlock;
    for (int at = 0; at < bytes.limit(); at += Long.BYTES) {
      long word = 0;
      for (int k = 0; k < perWord; k++, cluster++) {
        long count = count(cluster);
        if (count > 0) {
          word = width.with(word, k, checked(cluster, count));
        }
      }
      bytes.putLong(at, word);
    }
    return bytes;
  }

  private long checked(long cluster, long count) throws ImageException {
    if (count > width.max()) {
      throw new UnsupportedImageException(
          file.name()
              + ": cluster "
              + cluster
              + " is referred to "
              + count
              + " times, which counts of "
              + (1 << width.order())
              + " bits cannot say");
    }
    return count;
  }

  private ByteBuffer table() {
    ByteBuffer bytes = ByteBuffer.allocate(blocks.length * Long.BYTES);
    for (long block : blocks) {
      bytes.putLong(block << image.clusterBits);
    }
    return bytes.flip();
  }

  /** One write within the first sector: the place of the table, its size, the width of counts. */
  private void switchHeader() throws IOException {
    int start = Qcow2Header.REFCOUNT_TABLE_OFFSET.offset();
    boolean hasOrder = image.header.version > 2;
    int end = hasOrder ? Qcow2Header.REFCOUNT_ORDER.offset() + 4 : start + 12;
    ByteBuffer fields = image.read(start, end - start);
    long clusters = ((long) blocks.length * Long.BYTES) >>> image.clusterBits;
    Qcow2Header.REFCOUNT_TABLE_OFFSET.put(fields, -start, tableCluster << image.clusterBits);
    Qcow2Header.REFCOUNT_TABLE_CLUSTERS.put(fields, -start, clusters);
    if (hasOrder) {
      Qcow2Header.REFCOUNT_ORDER.put(fields, -start, width.order());
    }
    file.write(fields, start);
  }
}
