package io.vdisk.host.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/**
 * A lock on a range of bytes of an open file description: it conflicts with those of all others, of
 * this process too, and of both kinds, and ends with the descriptor and nothing else.
 *
 * <p>{@code struct flock}, 32 bytes in native order, the same on all 64-bit processors: type (2
 * bytes at 0), whence (2 at 2; 0: from the beginning), start (8 at 8), length (8 at 16), process (4
 * at 24; 0 here). Source: fcntl(2), asm-generic/fcntl.h.
 */
enum RangeLock {
  SHARED(0),
  EXCLUSIVE(1),
  NONE(2);

  /** Sets a lock or returns at once. Source: linux/fcntl.h. */
  private static final int F_OFD_SETLK = 37;

  private static final int BYTES = 32;
  private static final int TYPE = 0;
  private static final int START = 8;
  private static final int LENGTH = 16;

  private final short type;

  RangeLock(int type) {
    this.type = (short) type;
  }

  /** Whether it could be had: not if somebody else's is in the way. */
  boolean set(Descriptor file, long offset, long length) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment lock = arena.allocate(BYTES, Long.BYTES);
      lock.asByteBuffer()
          .order(ByteOrder.nativeOrder())
          .putShort(TYPE, type)
          .putLong(START, offset)
          .putLong(LENGTH, length);
      long result = file.call(SystemCall.FCNTL, F_OFD_SETLK, lock.address(), 0);
      if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
        return false;
      }
      Errno.check(result);
      return true;
    }
  }
}
