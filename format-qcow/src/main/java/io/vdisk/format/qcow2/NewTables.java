package io.vdisk.format.qcow2;

import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongUnaryOperator;

/**
 * Where the tables of a new image lie, and what is in them: header, refcount table, refcount
 * blocks, L1 table, as QEMU has them; then the encryption header, and where guest clusters get
 * their space at once, all L2 tables and all of that space, each in one piece. So every entry is
 * known without looking at another. Immutable.
 */
final class NewTables {
  private static final int STEP = 1 << 20;

  private final HostFile file;
  private final Qcow2Options choices;
  private final RefcountWidth width;
  private final long clusterSize;
  private final long guestClusters;

  /** Entries of the L1 table. */
  final long l1Entries;

  /** Clusters of the refcount table. */
  final long tableClusters;

  private final long blocks;
  private final long l2Tables;

  // Offsets, bytes:
  final long table;
  private final long refcountBlocks;
  final long l1;
  final long encryption;
  private final long l2;

  /** Where the guest clusters' space begins that is set aside; in the data file 0. */
  final long data;

  /** The end of all that has its place in the image's own file. */
  final long end;

  /**
   * Plans.
   *
   * @param encryptionBytes length of the encryption header; may be 0
   * @throws UnsupportedImageException if clusters of this size cannot make a disk so large
   */
  NewTables(HostFile file, Qcow2Options choices, long virtualSize, long encryptionBytes)
      throws UnsupportedImageException {
    this.file = file;
    this.choices = choices;
    this.width = new RefcountWidth(choices.refcountOrder);
    this.clusterSize = 1L << choices.clusterBits;
    this.guestClusters = divideUp(virtualSize, clusterSize);
    this.l1Entries = divideUp(guestClusters, perL2Table());
    check(l1Entries * Long.BYTES <= Qcow2Header.MAX_L1_BYTES, virtualSize);
    long l1Clusters = divideUp(l1Entries * Long.BYTES, clusterSize);
    long encryptionClusters = divideUp(encryptionBytes, clusterSize);
    this.l2Tables = choices.isPreallocated() ? l1Entries : 0;
    long dataClusters = choices.isPreallocated() && !hasDataFile() ? guestClusters : 0;
    long others = 1 + l1Clusters + encryptionClusters + l2Tables + dataClusters;
    long counting = 1;
    long naming = 1;
    while (true) {
      long neededBlocks = divideUp(others + naming + counting, width.in(clusterSize));
      long neededTable = divideUp(neededBlocks * Long.BYTES, clusterSize);
      if (neededBlocks <= counting && neededTable <= naming) {
        break;
      }
      counting = Math.max(counting, neededBlocks);
      naming = Math.max(naming, neededTable);
    }
    this.blocks = counting;
    this.tableClusters = naming;
    check(naming * clusterSize <= Qcow2Header.MAX_REFCOUNT_TABLE_BYTES, virtualSize);
    this.table = clusterSize;
    this.refcountBlocks = table + naming * clusterSize;
    this.l1 = refcountBlocks + counting * clusterSize;
    this.encryption = l1 + l1Clusters * clusterSize;
    this.l2 = encryption + encryptionClusters * clusterSize;
    long behind = l2 + l2Tables * clusterSize;
    this.data = hasDataFile() ? 0 : behind;
    this.end = behind + dataClusters * clusterSize;
  }

  private void check(boolean fits, long virtualSize) throws UnsupportedImageException {
    if (!fits) {
      throw new UnsupportedImageException(
          file.name() + ": " + virtualSize + " bytes are too many for clusters of " + clusterSize);
    }
  }

  private static long divideUp(long value, long by) {
    return value / by + (value % by == 0 ? 0 : 1);
  }

  private boolean hasDataFile() {
    return choices.dataFile.isPresent();
  }

  private long wordsOfEntry() {
    return choices.extended ? 2 : 1;
  }

  /** Guest clusters that one L2 table maps. */
  private long perL2Table() {
    return clusterSize / Long.BYTES / wordsOfEntry();
  }

  /** The space of all guest clusters, bytes. */
  long dataBytes() {
    return guestClusters * clusterSize;
  }

  /** Writes all of them. */
  void write() throws IOException {
    long perCluster = clusterSize / Long.BYTES;
    words(table, tableClusters * perCluster, i -> i < blocks ? refcountBlocks + at(i) : 0);
    long ones = width.ones();
    words(refcountBlocks, blocks * perCluster, i -> counts(i, ones));
    words(l1, l1Entries, i -> i < l2Tables ? L2Entry.COPIED | (l2 + at(i)) : 0);
    words(l2, l2Tables * perCluster, this::entryWord);
  }

  private long at(long cluster) {
    return cluster << choices.clusterBits;
  }

  /** A word of counts: all clusters before the end are used once. */
  private long counts(long word, long ones) {
    long first = word * width.perWord();
    long used = end >>> choices.clusterBits;
    if (first + width.perWord() <= used) {
      return ones;
    }
    long counts = 0;
    for (int i = 0; first + i < used; i++) {
      counts = width.with(counts, i, 1);
    }
    return counts;
  }

  /**
   * A word of the L2 tables. Subclusters are not stored; a standard cluster is stored, and the
   * caller sees that it reads as zero; an enciphered one is recorded as zero, because what lies
   * there would be noise.
   */
  private long entryWord(long word) {
    long cluster = word / wordsOfEntry();
    if (cluster >= guestClusters || word % wordsOfEntry() != 0) {
      return 0;
    }
    L2Entry place = L2Entry.owned(data + at(cluster));
    boolean isZero = choices.cryptMethod != 0 && !choices.extended;
    return isZero ? place.withZero() : place.raw();
  }

  private void words(long offset, long count, LongUnaryOperator word) throws IOException {
    int most = STEP / Long.BYTES;
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(most, count) * Long.BYTES);
    for (long done = 0; done < count; done += most) {
      buffer.clear();
      int now = (int) Math.min(most, count - done);
      for (int i = 0; i < now; i++) {
        buffer.putLong(word.applyAsLong(done + i));
      }
      file.write(buffer.flip(), offset + done * Long.BYTES);
    }
  }
}
