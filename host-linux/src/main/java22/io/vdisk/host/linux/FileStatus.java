package io.vdisk.host.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/**
 * What the kernel knows of an open file: {@code struct statx}, 256 bytes in native order, the same
 * on all processors: what it holds (4 bytes at 0), blocks of 512 bytes (8 at 48). Source: statx(2),
 * linux/stat.h.
 */
final class FileStatus {
  private static final int BYTES = 256;
  private static final int MASK = 0;
  private static final int BLOCKS = 48;
  private static final int BLOCK_BYTES = 512;

  /** The descriptor itself, not a name below it. Source: linux/fcntl.h. */
  private static final int AT_EMPTY_PATH = 0x1000;

  private static final int STATX_BLOCKS = 0x400;

  private FileStatus() {}

  /** Empty where the kernel, a sandbox or the file system does not tell. */
  static OptionalLong allocatedSize(Descriptor file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(1);
      MemorySegment status = arena.allocate(BYTES, Long.BYTES);
      long result =
          file.call(SystemCall.STATX, name, AT_EMPTY_PATH, STATX_BLOCKS, status.address());
      ByteBuffer fields = status.asByteBuffer().order(ByteOrder.nativeOrder());
      if (result < 0 || (fields.getInt(MASK) & STATX_BLOCKS) == 0) {
        return OptionalLong.empty();
      }
      return OptionalLong.of(fields.getLong(BLOCKS) * BLOCK_BYTES);
    }
  }
}
