package io.vdisk.testkit;

import java.util.Random;

/**
 * One request of {@link BlockDeviceModel}.
 *
 * @param kind what is done
 * @param offset of the first guest byte
 * @param length guest bytes, 0 or more
 * @param fill what a write writes: 0 zeroes, others bytes of their own
 */
record Request(Kind kind, int offset, int length, int fill) {
  static final int MAX_FILL = 100;

  enum Kind {
    READ,
    WRITE,
    ZERO,
    DISCARD,
    FLUSH,
    REOPEN,
    EXTENTS
  }

  /** The bytes that a write writes. */
  byte[] content() {
    byte[] bytes = new byte[length];
    if (fill != 0) {
      new Random(fill).nextBytes(bytes);
    }
    return bytes;
  }

  @Override
  public String toString() {
    return switch (kind) {
      case FLUSH, REOPEN -> kind.toString();
      case WRITE -> kind + " " + length + " bytes at " + offset + ", fill " + fill;
      default -> kind + " " + length + " bytes at " + offset;
    };
  }
}
