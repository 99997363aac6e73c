package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import java.nio.ByteBuffer;

/**
 * The header extension that says where the bitmap directory is, 24 bytes. Specification: "Bitmaps
 * extension".
 *
 * <pre>
 *  0-3   nb_bitmaps
 *  4-7   reserved, 0
 *  8-15  bitmap_directory_size
 * 16-23  bitmap_directory_offset
 * </pre>
 *
 * @param bitmaps 1 to {@link #MAX_BITMAPS}
 * @param directorySize bytes
 * @param directoryOffset in the host file, cluster aligned
 */
record BitmapsExtension(int bitmaps, long directorySize, long directoryOffset) {
  /** Most bitmaps: QEMU's limit. */
  static final int MAX_BITMAPS = 65_535;

  /** Largest directory, bytes: QEMU's limit. */
  static final long MAX_DIRECTORY_BYTES = 1024L * MAX_BITMAPS;

  private static final int BYTES = 24;

  static BitmapsExtension parse(ByteBuffer data, int clusterSize, String name)
      throws CorruptImageException {
    if (data.remaining() != BYTES) {
      throw new CorruptImageException(
          name + ": a bitmaps extension of " + data.remaining() + " bytes");
    }
    long bitmaps = Integer.toUnsignedLong(data.getInt());
    int reserved = data.getInt();
    long size = data.getLong();
    long offset = data.getLong();
    if (bitmaps == 0
        || bitmaps > MAX_BITMAPS
        || reserved != 0
        || size <= 0
        || size > MAX_DIRECTORY_BYTES
        || offset <= 0
        || offset % clusterSize != 0) {
      throw new CorruptImageException(
          name
              + ": a bitmaps extension with "
              + bitmaps
              + " bitmaps in a directory of "
              + Long.toUnsignedString(size)
              + " bytes at "
              + Long.toUnsignedString(offset));
    }
    return new BitmapsExtension((int) bitmaps, size, offset);
  }

  HeaderExtension encode() {
    ByteBuffer data = ByteBuffer.allocate(BYTES);
    data.putInt(bitmaps).putInt(0).putLong(directorySize).putLong(directoryOffset);
    return new HeaderExtension(HeaderExtension.BITMAPS, data.array());
  }
}
