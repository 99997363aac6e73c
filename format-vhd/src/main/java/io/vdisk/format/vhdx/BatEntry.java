package io.vdisk.format.vhdx;

/**
 * An entry of the block allocation table: the state of a block in bits 0 to 2, in bits 20 to 63
 * where it lies in mebibytes. Source: [MS-VHDX] 2.5.1.
 *
 * @param raw the 64 bits
 */
record BatEntry(long raw) {
  static final int NOT_PRESENT = 0;
  static final int UNDEFINED = 1;
  static final int ZERO = 2;
  static final int UNMAPPED = 3;

  /** What a draft of the specification had for {@link #UNMAPPED}. */
  static final int UNMAPPED_OF_OLD = 5;

  static final int FULLY_PRESENT = 6;
  static final int PARTIALLY_PRESENT = 7;

  private static final long STATE = 7;
  private static final long OFFSET = -1L << 20;

  /** A block without space. The specification reserves the place then; Windows wants it zero. */
  static BatEntry of(int state) {
    return new BatEntry(state);
  }

  /**
   * A block with space.
   *
   * @param offset where it lies, a multiple of 1 MiB
   */
  static BatEntry at(long offset, int state) {
    assert (offset & ~OFFSET) == 0 : offset;
    return new BatEntry(offset | state);
  }

  int state() {
    return (int) (raw & STATE);
  }

  /** Where the block lies, or lay: a multiple of 1 MiB; negative from 2^63 on. */
  long offset() {
    return raw & OFFSET;
  }

  /** Whether the file has the bytes of the block, or of some of its sectors. */
  boolean isPresent() {
    return state() >= FULLY_PRESENT;
  }

  boolean isPartial() {
    return state() == PARTIALLY_PRESENT;
  }

  /** Whether the parent has what the file does not, all of it. */
  boolean isAbsent() {
    return state() == NOT_PRESENT;
  }

  /** Whether the specification has no such state. */
  boolean isReserved() {
    return state() == 4;
  }

  /** Whether a block may have a place: an undefined or unmapped one keeps it if it likes. */
  boolean mayHavePlace() {
    return state() != NOT_PRESENT && state() != ZERO;
  }

  /** Whether bits are set that mean nothing. */
  boolean hasOddBits() {
    return (raw & ~OFFSET & ~STATE) != 0 || (!mayHavePlace() && offset() != 0);
  }

  /** Whether a run that begins with this entry goes on with another one so many bytes later. */
  boolean isFollowedBy(BatEntry other, long distance) {
    return state() == FULLY_PRESENT
        ? other.raw == raw + distance
        : other.state() == state() && !isPartial();
  }

  @Override
  public String toString() {
    return "state " + state() + " at " + Long.toUnsignedString(offset());
  }
}
