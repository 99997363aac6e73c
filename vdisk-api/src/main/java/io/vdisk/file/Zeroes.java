package io.vdisk.file;

import java.nio.ByteBuffer;

/** Bytes that are zero: written and recognised. All methods may be called by many threads. */
public final class Zeroes {
  /** What is put at a time; large enough that the call does not show. */
  private static final byte[] BLOCK = new byte[16_384];

  /**
   * How far before a byte the one lies that it is compared with: a long, for which JVMs are fast.
   */
  private static final int DISTANCE = 8;

  private Zeroes() {}

  /** Fills {@code dst} from its position to its limit. */
  public static void fill(ByteBuffer dst) {
    fill(dst, dst.remaining());
  }

  /** Puts {@code count} zeroes, 0 or more and at most what remains. */
  public static void fill(ByteBuffer dst, int count) {
    for (int left = count; left > 0; left -= BLOCK.length) {
      dst.put(BLOCK, 0, Math.min(left, BLOCK.length));
    }
  }

  /**
   * Whether everything from position to limit is zero. Leaves at the first byte that is not, after
   * looking at the ends and the middle: data is mostly told apart by these. The position stays.
   *
   * <p>The rest is zero if its first bytes are and each other one equals one before it: to compare
   * memory is one instruction to all compilers of a JVM, a loop is slow in the first of them.
   */
  public static boolean only(ByteBuffer bytes) {
    int from = bytes.position();
    int to = bytes.limit();
    if (from == to) {
      return true;
    }
    if (bytes.get(from) != 0 || bytes.get(to - 1) != 0 || bytes.get((from + to) >>> 1) != 0) {
      return false;
    }
    int head = Math.min(DISTANCE, to - from);
    for (int i = from; i < from + head; i++) {
      if (bytes.get(i) != 0) {
        return false;
      }
    }
    return bytes.duplicate().limit(to - head).mismatch(bytes.duplicate().position(from + head)) < 0;
  }
}
