package io.vdisk.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Bytes that are zero: written and recognised. All methods may be called by many threads. */
public final class Zeroes {
  /** What is put at a time; large enough that the call does not show. */
  private static final byte[] BLOCK = new byte[16_384];

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
    ByteBuffer view = bytes.duplicate().order(ByteOrder.nativeOrder());
    int i = from;
    for (; i + 64 <= to; i += 64) {
      long any =
          view.getLong(i)
              | view.getLong(i + 8)
              | view.getLong(i + 16)
              | view.getLong(i + 24)
              | view.getLong(i + 32)
              | view.getLong(i + 40)
              | view.getLong(i + 48)
              | view.getLong(i + 56);
      if (any != 0) {
        return false;
      }
    }
    for (; i < to; i++) {
      if (view.get(i) != 0) {
        return false;
      }
    }
    return true;
  }
}
