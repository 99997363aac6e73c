package io.vdisk.format.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * An L2 table as it lies in the file, one after the other in the same memory. Where entries are
 * extended, the second word of each says what its subclusters are. One thread.
 */
final class L2Table {
  private static final int SUBCLUSTERS = Integer.SIZE;

  private final CheckedImage image;
  private final boolean isExtended;
  private final boolean hasDataFile;

  /** Words of an entry. */
  private final int stride;

  private final ByteBuffer bytes;
  private final long[] words;

  /** Where it lies. */
  private long at;

  L2Table(CheckedImage image) {
    this.image = image;
    this.isExtended = image.header.isExtended();
    this.hasDataFile = image.header.hasDataFile();
    this.stride = image.header.l2EntryBytes() / Long.BYTES;
    this.bytes = ByteBuffer.allocateDirect((int) image.clusterSize);
    this.words = new long[(int) image.clusterSize / Long.BYTES];
  }

  /** Reads the table at an offset; zeroes where there is none. */
  void read(long offset) throws IOException {
    at = offset;
    image.read(offset, bytes).asLongBuffer().get(words);
  }

  /** Where it lies in the file. */
  long at() {
    return at;
  }

  int entries() {
    return words.length / stride;
  }

  L2Entry entry(int i) {
    return new L2Entry(words[i * stride]);
  }

  /** What the subclusters are; 0 where there are none. */
  long bitmap(int i) {
    return isExtended ? words[i * stride + 1] : 0;
  }

  /** Nothing is said of the cluster. */
  boolean isEmpty(int i) {
    return words[i * stride] == 0 && (!isExtended || words[i * stride + 1] == 0);
  }

  /** A standard entry that names a cluster; one of a data file may lie at 0. */
  boolean isAllocated(int i) {
    L2Entry entry = entry(i);
    return entry.isAllocated()
        || (hasDataFile
            && entry.isCopied()
            && !entry.isCompressed()
            && (isExtended || !entry.isZero()));
  }

  /** Subclusters that are allocated and zero at once. */
  boolean hasContradiction(int i) {
    long bitmap = bitmap(i);
    return (bitmap >>> SUBCLUSTERS & bitmap) != 0;
  }

  /** Subclusters that have data. */
  boolean hasAllocatedSubclusters(int i) {
    return (int) bitmap(i) != 0;
  }

  /** An allocated cluster of which something is read, and not all of it zero. */
  boolean containsData(int i) {
    return isExtended ? hasAllocatedSubclusters(i) : !entry(i).isZero();
  }

  /**
   * How many entries from the i-th on name clusters that follow each other, inside the file, with
   * the same COPIED, and have nothing else about them: as nearly all do.
   */
  int plainRun(int i) {
    long first = words[i * stride];
    long offset = first & ~L2Entry.COPIED;
    if (offset == 0
        || (offset & ~L2Entry.OFFSET) != 0
        || !image.isAligned(offset)
        || (offset >= image.fileSize && !hasDataFile)) {
      return 0;
    }
    long room = hasDataFile ? entries() : (image.fileSize - offset) / image.clusterSize;
    int end = (int) Math.min(entries(), i + room);
    return isExtended ? extendedRun(i, end) : shortRun(i, end);
  }

  private int shortRun(int i, int end) {
    long expected = words[i];
    int run = i;
    while (run < end && words[run] == expected) {
      run++;
      expected += image.clusterSize;
    }
    return run - i;
  }

  private int extendedRun(int i, int end) {
    long expected = words[i * stride];
    int run = i;
    while (run < end && words[run * stride] == expected && !hasContradiction(run)) {
      run++;
      expected += image.clusterSize;
    }
    return run - i;
  }

  /** Changes an entry here, not in the file. */
  void set(int i, L2Entry entry, long bitmap) {
    words[i * stride] = entry.raw();
    if (isExtended) {
      words[i * stride + 1] = bitmap;
    }
  }

  /** Writes the table to where it was read. */
  void write() throws IOException {
    bytes.clear().asLongBuffer().put(words);
    image.file.write(bytes, at);
  }

  /** What messages call an entry. */
  String name(int i) {
    return "L2 entry " + i + " of the table at " + at;
  }
}
