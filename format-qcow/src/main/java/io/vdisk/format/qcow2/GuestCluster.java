package io.vdisk.format.qcow2;

/**
 * What the L2 table says of one guest cluster: where it lies, and of each of its 32 subclusters
 * whether it is stored there, reads as zero, or is the backing file's. A standard entry says the
 * same of all of them. Specification: "Extended L2 Entries".
 *
 * @param descriptor where the cluster lies, as {@link L2Entry} has it; without the bit that a
 *     standard entry has for zero, and without COPIED where it is nowhere
 * @param stored a bit for each subcluster that is stored, the first the lowest
 * @param zero a bit for each subcluster that reads as zero
 */
record GuestCluster(long descriptor, int stored, int zero) {
  /** Subclusters of a cluster. */
  static final int SUBCLUSTERS = Integer.SIZE;

  /** All subclusters. */
  static final int ALL = -1;

  /** The bits of some subclusters, at least one. */
  static int mask(int from, int to) {
    return (ALL >>> (SUBCLUSTERS - (to - from))) << from;
  }

  /** Where the cluster lies. */
  L2Entry entry() {
    return new L2Entry(descriptor);
  }

  /** The second word of an extended entry. */
  long states() {
    return (long) zero << SUBCLUSTERS | Integer.toUnsignedLong(stored);
  }

  /** Whether the words can stand together. */
  boolean isValid() {
    return entry().isCompressed()
        ? stored == 0 && zero == 0
        : (stored & zero) == 0 && (stored == 0 || hasPlace());
  }

  /** Whether a subcluster is stored. */
  boolean isStored(int subcluster) {
    return (stored & 1 << subcluster) != 0;
  }

  /** Whether a subcluster reads as zero. */
  boolean isZero(int subcluster) {
    return (zero & 1 << subcluster) != 0;
  }

  /** Whether any subcluster is stored. */
  boolean isStored() {
    return stored != 0;
  }

  /**
   * Whether the cluster has host space that is not compressed. COPIED tells the first cluster of a
   * data file from none.
   */
  boolean hasPlace() {
    L2Entry entry = entry();
    return !entry.isCompressed() && (entry.offset() != 0 || entry.isCopied());
  }

  /** Whether the cluster has host space that nobody else refers to. */
  boolean isOwned() {
    return hasPlace() && entry().isCopied();
  }

  /** The first subcluster that is stored; there is one. */
  int firstStored() {
    return Integer.numberOfTrailingZeros(stored);
  }

  /** Behind the last subcluster that is stored; there is one. */
  int endOfStored() {
    return SUBCLUSTERS - Integer.numberOfLeadingZeros(stored);
  }

  /** Behind the last of the subclusters from one on that are what that one is. */
  int endOfRun(int subcluster) {
    int differs = (isStored(subcluster) ? ~stored : stored) | (isZero(subcluster) ? ~zero : zero);
    int ends = differs >>> subcluster;
    return ends == 0 ? SUBCLUSTERS : subcluster + Integer.numberOfTrailingZeros(ends);
  }
}
