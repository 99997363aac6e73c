package io.vdisk;

/** What a device can do beyond reading. */
public enum Capability {
  /** It was opened for writing, and its format can be written. */
  WRITE,
  /** {@link BlockDevice#discard} may give space back. */
  DISCARD,
  /** {@link BlockDevice#writeZeroes} of whole units writes no guest data. */
  FAST_ZERO,
  /** What it does not hold itself is read from a backing file. */
  BACKING
}
