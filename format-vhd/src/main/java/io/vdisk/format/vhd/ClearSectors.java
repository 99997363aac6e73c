package io.vdisk.format.vhd;

import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The sectors that lie in blocks and are not there, by the bitmaps: nobody reads their bytes. One
 * thread, alone on the disk.
 */
final class ClearSectors {
  private static final int SECTOR = Structures.SECTOR;
  private static final int STEP = 64 << 10;

  private final Structures structures;
  private final HostFile file;
  private final ByteBuffer zeroes = ByteBuffer.allocateDirect(STEP);

  ClearSectors(Structures structures) {
    this.structures = structures;
    this.file = structures.file();
  }

  /** Zeroes their bytes, durably. */
  void zero() throws IOException {
    Zeroes.fill(zeroes);
    ByteBuffer entry = ByteBuffer.allocate(Integer.BYTES);
    ByteBuffer bitmap = ByteBuffer.allocate((int) structures.bitmapBytes());
    for (long block = 0; block < structures.blocks(); block++) {
      file.readFully(entry.clear(), structures.header().tableOffset() + block * Integer.BYTES);
      long place = Integer.toUnsignedLong(entry.getInt(0));
      if (place != Structures.UNUSED) {
        file.readFully(bitmap.clear(), place * SECTOR);
        zeroIn(bitmap, place * SECTOR + structures.bitmapBytes());
      }
    }
    file.flush();
  }

  private void zeroIn(ByteBuffer bitmap, long data) throws IOException {
    int sectors = (int) (structures.blockSize() / SECTOR);
    int first = 0;
    while (first < sectors) {
      int end = first;
      while (end < sectors && !isSet(bitmap, end)) {
        end++;
      }
      if (end > first) {
        zero(data + (long) first * SECTOR, (long) (end - first) * SECTOR);
      }
      first = end + 1;
    }
  }

  private static boolean isSet(ByteBuffer bitmap, int sector) {
    return ((bitmap.get(sector >>> 3) << (sector & 7)) & 0x80) != 0;
  }

  private void zero(long offset, long length) throws IOException {
    if (file.zero(offset, length, false)) {
      return;
    }
    for (long done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(STEP, length - done));
      file.write(zeroes, offset + done);
    }
  }
}
