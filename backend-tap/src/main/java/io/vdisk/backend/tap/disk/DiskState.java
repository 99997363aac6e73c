package io.vdisk.backend.tap.disk;

/**
 * The state of a disk, one bit each, as {@code tap-ctl list} prints it (tapdisk-vbd.h). Changed by
 * the disk's thread, read by any.
 */
final class DiskState {
  /** It was given up. */
  static final int DEAD = 0x1;

  /** It was open, and is not. */
  static final int CLOSED = 0x2;

  /** No request is taken, and some are under way. */
  static final int QUIESCE_REQUESTED = 0x4;

  /** No request is taken, and none is under way. */
  static final int QUIESCED = 0x8;

  /** It is about to be paused. */
  static final int PAUSE_REQUESTED = 0x10;

  /** It is paused. */
  static final int PAUSED = 0x20;

  /** It could not be resumed. */
  static final int RESUME_FAILED = 0x200;

  private volatile int bits;

  /** All bits. */
  int bits() {
    return bits;
  }

  boolean has(int bit) {
    return (bits & bit) != 0;
  }

  /** Sets some and clears some, at once. */
  void change(int set, int cleared) {
    bits = (bits & ~cleared) | set;
  }

  /** No other bit than these. */
  void become(int set) {
    bits = set;
  }
}
