package io.vdisk.format.vhd;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The places of all blocks of a disk that is to be written, in the order of the file. Reading them
 * shows whether any lies where none can be, or two lie in the same place: such a disk is not
 * written.
 *
 * <p>Takes four bytes for each block that has a place. Immutable.
 */
final class UsedSpace {
  /** Entries that are read at a time. */
  private static final int PIECE = 16 << 10;

  private final int[] sectors;
  private final long stride;
  private final long metadataEnd;

  private UsedSpace(int[] sectors, long stride, long metadataEnd) {
    this.sectors = sectors;
    this.stride = stride;
    this.metadataEnd = metadataEnd;
  }

  /** Reads the block allocation table. */
  static UsedSpace read(Structures structures, long limit) throws IOException {
    HostFile file = structures.file();
    MetadataAreas areas = structures.areas();
    long stride = structures.stride();
    int[] sectors = new int[1024];
    int count = 0;
    boolean isSorted = true;
    ByteBuffer piece = ByteBuffer.allocate(PIECE * Integer.BYTES);
    long blocks = structures.blocks();
    for (long block = 0; block < blocks; ) {
      piece.clear().limit((int) Math.min(PIECE, blocks - block) * Integer.BYTES);
      file.readFully(piece, structures.header().tableOffset() + block * Integer.BYTES);
      for (piece.flip(); piece.hasRemaining(); block++) {
        int entry = piece.getInt();
        if (entry == (int) Structures.UNUSED) {
          continue;
        }
        long place = Integer.toUnsignedLong(entry) * Structures.SECTOR;
        if (place > limit - stride || areas.touches(place, stride)) {
          throw new CorruptImageException(
              String.format(
                  "%s: block %d is said to be in sector %d, where no block can be: it is not"
                      + " written",
                  file.name(), block, Integer.toUnsignedLong(entry)));
        }
        if (count == sectors.length) {
          sectors = Arrays.copyOf(sectors, 2 * count);
        }
        isSorted &= count == 0 || compare(sectors[count - 1], entry) < 0;
        sectors[count++] = entry;
      }
    }
    int[] found = Arrays.copyOf(sectors, count);
    if (!isSorted) {
      sort(found);
    }
    UsedSpace used = new UsedSpace(found, stride, areas.end());
    used.checkApart(file);
    return used;
  }

  private static int compare(int a, int b) {
    return Integer.compareUnsigned(a, b);
  }

  /** As unsigned numbers. */
  private static void sort(int[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] ^= Integer.MIN_VALUE;
    }
    Arrays.sort(values);
    for (int i = 0; i < values.length; i++) {
      values[i] ^= Integer.MIN_VALUE;
    }
  }

  private void checkApart(HostFile file) throws CorruptImageException {
    for (int i = 1; i < sectors.length; i++) {
      if (place(i) < place(i - 1) + stride) {
        throw new CorruptImageException(
            String.format(
                "%s: the blocks in sectors %d and %d overlap: the disk is not written",
                file.name(),
                Integer.toUnsignedLong(sectors[i - 1]),
                Integer.toUnsignedLong(sectors[i])));
      }
    }
  }

  private long place(int i) {
    return Integer.toUnsignedLong(sectors[i]) * Structures.SECTOR;
  }

  /** Where the last block or the last metadata ends. */
  long end() {
    return sectors.length == 0
        ? metadataEnd
        : Math.max(metadataEnd, place(sectors.length - 1) + stride);
  }

  /** A range of the file. */
  interface Gap {
    void at(long offset, long length);
  }

  /** Goes through what lies behind all metadata, between blocks, and has room for one. */
  void forEachGap(long room, Gap body) {
    long from = metadataEnd;
    for (int i = 0; i < sectors.length; i++) {
      long place = place(i);
      if (place - from >= room) {
        body.at(from, place - from);
      }
      from = Math.max(from, place + stride);
    }
  }
}
