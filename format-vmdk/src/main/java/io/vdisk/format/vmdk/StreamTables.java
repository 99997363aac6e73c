package io.vdisk.format.vmdk;

import io.vdisk.UnsupportedImageException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The grain table that is being filled and the grain directory of a stream. Tables without a grain
 * are left out. One thread.
 */
final class StreamTables {
  private static final int ENTRIES = SparseHeader.TABLE_ENTRIES;

  /** Entries have 32 bits. */
  private static final long MAX_SECTOR = 0xffff_ffffL;

  private final ByteBuffer directory;
  private final ByteBuffer table =
      ByteBuffer.allocate(ENTRIES * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);

  /** The number of the table that is being filled; negative: none. */
  private long number = -1;

  StreamTables(long size, long grainSize) {
    long span = grainSize * ENTRIES;
    long bytes = (size + span - 1) / span * Integer.BYTES;
    int sector = SparseHeader.SECTOR;
    long whole = (bytes + sector - 1) / sector * sector;
    directory = ByteBuffer.allocate(Math.toIntExact(whole)).order(ByteOrder.LITTLE_ENDIAN);
  }

  long directoryBytes() {
    return directory.capacity();
  }

  /** Whether a grain belongs to the table that is being filled, or to the first of all. */
  boolean isInTable(long grain) {
    return number < 0 || number == grain / ENTRIES;
  }

  /** Notes where a grain lies. */
  void set(long grain, long sector) throws UnsupportedImageException {
    number = grain / ENTRIES;
    table.putInt((int) (grain % ENTRIES) * Integer.BYTES, checked(sector));
  }

  /**
   * Takes the table, which will lie at {@code sector}; the next one is empty.
   *
   * @return empty if there is none
   */
  byte[] takeTable(long sector) throws UnsupportedImageException {
    if (number < 0) {
      return new byte[0];
    }
    directory.putInt(Math.toIntExact(number * Integer.BYTES), checked(sector));
    number = -1;
    byte[] taken = table.array().clone();
    java.util.Arrays.fill(table.array(), (byte) 0);
    return taken;
  }

  byte[] directory() {
    return directory.array();
  }

  private static int checked(long sector) throws UnsupportedImageException {
    if (sector > MAX_SECTOR) {
      throw new UnsupportedImageException(
          "a stream-optimized vmdk cannot be longer than 2 TiB, and this one would be");
    }
    return (int) sector;
  }
}
