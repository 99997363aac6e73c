package io.vdisk.testkit.toy;

/**
 * An entry of 8 bytes that says where a unit is: 0, it is not in this image; 1, it reads as zero;
 * otherwise its offset in the host file, a multiple of 512, with the length of a compressed unit in
 * bits 48 to 62.
 *
 * @param raw as it is in the table
 */
record ToyEntry(long raw) {
  static final ToyEntry NONE = new ToyEntry(0);
  static final ToyEntry ZERO = new ToyEntry(1);

  private static final long OFFSET = 0x0000_ffff_ffff_fe00L;
  private static final int LENGTH_SHIFT = 48;

  static ToyEntry stored(long offset) {
    return new ToyEntry(offset);
  }

  static ToyEntry encoded(long offset, int length) {
    return new ToyEntry(offset | (long) length << LENGTH_SHIFT);
  }

  boolean isZero() {
    return raw == 1;
  }

  /** Whether it has host space. */
  boolean isAllocated() {
    return offset() != 0;
  }

  boolean isEncoded() {
    return isAllocated() && encodedLength() != 0;
  }

  boolean isStored() {
    return isAllocated() && encodedLength() == 0;
  }

  long offset() {
    return raw & OFFSET;
  }

  int encodedLength() {
    return (int) (raw >>> LENGTH_SHIFT);
  }

  /** Whether one of the three things that an entry may be. */
  boolean isValid() {
    return raw == 0 || raw == 1 || (raw & 0x1ff) == 0 && raw > 0 && isAllocated();
  }

  /** Whether {@code next} goes on, {@code distance} bytes later, with what this one began. */
  boolean isFollowedBy(ToyEntry next, long distance) {
    if (isStored()) {
      return next.raw == raw + distance;
    }
    return raw == next.raw;
  }
}
