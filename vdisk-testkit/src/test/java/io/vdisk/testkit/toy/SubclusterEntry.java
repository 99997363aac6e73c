package io.vdisk.testkit.toy;

import io.vdisk.spi.metadata.Slice;

/**
 * Two words that mean something only together.
 *
 * @param offset where the cluster is; 0: it has no space
 * @param states bit {@code n}: subcluster {@code n} is stored; bit {@code n + 32}: it reads as zero
 */
record SubclusterEntry(long offset, long states) {
  private static final int ALL_BITS = 32;

  /** Entry {@code i} of a slice; the words may not belong together. */
  static SubclusterEntry of(Slice slice, int i) {
    return new SubclusterEntry(slice.word(2 * i), slice.word(2 * i + 1));
  }

  boolean isStored(int subcluster) {
    return (states >>> subcluster & 1) != 0;
  }

  boolean isZero(int subcluster) {
    return (states >>> (subcluster + ALL_BITS) & 1) != 0;
  }

  /** Whether two subclusters are in the same state. */
  boolean isSame(int a, int b) {
    return isStored(a) == isStored(b) && isZero(a) == isZero(b);
  }

  boolean isValid() {
    boolean both = (states & states >>> ALL_BITS & 0xffff_ffffL) != 0;
    return !both && offset >= 0 && offset % 512 == 0 && (offset != 0 || (int) states == 0);
  }

  /** The same with these subclusters stored in a cluster at {@code place}. */
  SubclusterEntry withStored(long place, long mask) {
    return new SubclusterEntry(place, states & ~(mask << ALL_BITS) | mask);
  }

  /** The same with these subclusters not stored; without space if none is stored any longer. */
  SubclusterEntry without(long mask, boolean zero) {
    long left = states & ~(mask | mask << ALL_BITS) | (zero ? mask << ALL_BITS : 0);
    return new SubclusterEntry((int) left == 0 ? 0 : offset, left);
  }

  /** The bits of subclusters {@code from} to {@code to}, the latter excluded. */
  static long mask(int from, int to) {
    return (1L << to) - (1L << from);
  }
}
