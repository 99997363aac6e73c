package io.vdisk.testkit;

import java.nio.ByteBuffer;

/**
 * Bytes that tell who wrote them and where to: each aligned word of eight bytes is, big-endian, the
 * writer's stamp in the upper 24 bits and the word's guest offset divided by 8 in the lower 40.
 */
final class Pattern {
  /** The stamp of the backing device. */
  static final int BACKING = 0xBAC0FE;

  private Pattern() {}

  /** The bytes that {@code stamp} writes to a range; it need not be aligned. */
  static byte[] bytes(int stamp, long offset, int length) {
    long first = offset & -8;
    int words = (int) ((offset + length + 7 - first) / 8);
    ByteBuffer aligned = ByteBuffer.allocate(words * 8);
    long word = ((long) stamp << 40) | first / 8;
    for (int i = 0; i < words; i++) {
      aligned.putLong(i * 8, word + i);
    }
    if (length == words * 8) {
      return aligned.array();
    }
    byte[] bytes = new byte[length];
    aligned.get((int) (offset - first), bytes);
    return bytes;
  }

  /** What a word is, for messages. */
  static String describe(long word) {
    if (word == 0) {
      return "zeroes";
    }
    long stamp = word >>> 40;
    String who = stamp == BACKING ? "the backing device's bytes" : "the bytes of step " + stamp;
    return who + " for offset " + (word & 0xFF_FFFF_FFFFL) * 8;
  }
}
