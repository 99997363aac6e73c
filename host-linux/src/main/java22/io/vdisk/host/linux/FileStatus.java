package io.vdisk.host.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/**
 * What the kernel knows of an open file: {@code struct statx}, 256 bytes in native order, the same
 * on all processors: what it holds (4 bytes at 0), blocks of 512 bytes (8 at 48), alignment of
 * memory and of offsets for direct I/O (4 each at 152 and 156). Source: statx(2), linux/stat.h.
 */
final class FileStatus {
  private static final int BYTES = 256;
  private static final int MASK = 0;
  private static final int BLOCKS = 48;
  private static final int BLOCK_BYTES = 512;
  private static final int MEMORY_ALIGNMENT = 152;
  private static final int OFFSET_ALIGNMENT = 156;
  private static final int USUAL_ALIGNMENT = 4096;

  /** The descriptor itself, not a name below it. Source: linux/fcntl.h. */
  private static final int AT_EMPTY_PATH = 0x1000;

  private static final int STATX_BLOCKS = 0x400;
  private static final int STATX_DIOALIGN = 0x2000;

  private FileStatus() {}

  /** Empty where the kernel, a sandbox or the file system does not tell. */
  static OptionalLong allocatedSize(Descriptor file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      ByteBuffer fields = fields(file, STATX_BLOCKS, arena);
      return (fields.getInt(MASK) & STATX_BLOCKS) == 0
          ? OptionalLong.empty()
          : OptionalLong.of(fields.getLong(BLOCKS) * BLOCK_BYTES);
    }
  }

  /**
   * What offsets and memory must be multiples of past the page cache; what suits every disk where
   * the kernel does not tell, as before 6.1.
   */
  static int directAlignment(Descriptor file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      ByteBuffer fields = fields(file, STATX_DIOALIGN, arena);
      int told = Math.max(fields.getInt(MEMORY_ALIGNMENT), fields.getInt(OFFSET_ALIGNMENT));
      return (fields.getInt(MASK) & STATX_DIOALIGN) == 0 || told <= 0 ? USUAL_ALIGNMENT : told;
    }
  }

  /** All zero if they are not told. */
  private static ByteBuffer fields(Descriptor file, int wanted, Arena arena) throws IOException {
    MemorySegment name = arena.allocate(1);
    MemorySegment status = arena.allocate(BYTES, Long.BYTES);
    file.call(SystemCall.STATX, name, AT_EMPTY_PATH, wanted, status.address());
    return status.asByteBuffer().order(ByteOrder.nativeOrder());
  }
}
