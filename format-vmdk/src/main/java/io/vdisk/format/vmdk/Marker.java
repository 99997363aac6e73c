package io.vdisk.format.vmdk;

import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/**
 * What stands before each thing in a stream-optimized extent. Little-endian. Source: Virtual Disk
 * Format 5.0, "Stream-Optimized Compressed Sparse Extents".
 *
 * <p>With a {@link #SIZE} of 0 it is a sector of its own, and of the type that it says; otherwise
 * {@link #SIZE} bytes of a compressed grain begin where the type would be, and {@link #VALUE} is
 * the grain's first sector on the disk.
 */
final class Marker {
  static final Struct STRUCT = Struct.littleEndian("Marker");
  static final Struct.U64 VALUE = STRUCT.u64("val");
  static final Struct.U32 SIZE = STRUCT.u32("size");
  static final Struct.U32 TYPE = STRUCT.u32("type");

  static {
    STRUCT.bytes("pad", 496);
    STRUCT.end(512);
  }

  /** Bytes before those of a compressed grain. */
  static final int GRAIN_BYTES = 12;

  /** The end of the stream. */
  static final int END_OF_STREAM = 0;

  /** A grain table follows. */
  static final int GRAIN_TABLE = 1;

  /** A grain directory follows. */
  static final int GRAIN_DIRECTORY = 2;

  /** The footer follows. */
  static final int FOOTER = 3;

  private Marker() {}

  /** The sector of a marker that is not of a grain: so many sectors of that type follow. */
  static ByteBuffer sector(int type, long sectors) {
    ByteBuffer bytes = ByteBuffer.allocate(STRUCT.size());
    VALUE.put(bytes, 0, sectors);
    TYPE.put(bytes, 0, type);
    return bytes;
  }
}
