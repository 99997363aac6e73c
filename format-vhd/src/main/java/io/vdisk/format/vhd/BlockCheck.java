package io.vdisk.format.vhd;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Follows every entry of a block allocation table, for a check. Used once. */
final class BlockCheck {
  /** Entries that are read at a time. */
  private static final int PIECE = 16 << 10;

  private static final int SECTOR = Structures.SECTOR;

  private final Structures structures;
  private final VhdChecker checker;
  private final HostFile file;
  private final MetadataAreas areas;
  private final long limit;
  private final long stride;
  private final ByteBuffer bitmap;
  private final ByteBuffer sector = ByteBuffer.allocate(SECTOR);

  /** The sector of each block in the upper half, its number in the lower. */
  private long[] places = new long[1024];

  private int count;
  private long fragmented;

  BlockCheck(Structures structures, VhdChecker checker) {
    this.structures = structures;
    this.checker = checker;
    this.file = structures.file();
    this.areas = structures.areas();
    this.limit = structures.footers().endOffset();
    this.stride = structures.stride();
    this.bitmap = ByteBuffer.allocate((int) structures.bitmapBytes());
  }

  void check() throws IOException {
    ByteBuffer batmap = readBatmap();
    long blocks = structures.blocks();
    ByteBuffer piece = ByteBuffer.allocate(PIECE * Integer.BYTES);
    for (long block = 0; block < blocks; ) {
      piece.clear().limit((int) Math.min(PIECE, blocks - block) * Integer.BYTES);
      file.readFully(piece, structures.header().tableOffset() + block * Integer.BYTES);
      for (piece.flip(); piece.hasRemaining(); block++) {
        checkEntry(block, Integer.toUnsignedLong(piece.getInt()), batmap);
        if ((block & 1023) == 1023) {
          checker.report(block, blocks);
        }
      }
    }
    checkApart();
    checker.report(blocks, blocks);
    checker.report().units(blocks, count, 0, fragmented).endOffset(end());
  }

  private ByteBuffer readBatmap() throws IOException {
    if (structures.batmap().isEmpty()) {
      if (structures.footer().creator().hasBatmap()) {
        checker.warn("there is no batmap, which Xen's tools expect");
      }
      return ByteBuffer.allocate(0);
    }
    BatmapHeader header = structures.batmap().get();
    ByteBuffer bits = Batmap.readBits(file, header);
    if (!header.hasRightChecksum(bits, structures.virtualSize())) {
      checker.warn("the checksum of the batmap is wrong; it is not relied on");
      return ByteBuffer.allocate(0);
    }
    return bits;
  }

  private void checkEntry(long block, long entry, ByteBuffer batmap) throws IOException {
    boolean isCalledFull = Batmap.isSet(batmap, block);
    if (entry == Structures.UNUSED) {
      if (isCalledFull) {
        checker.warn("the batmap shows block " + block + " full, which has no place");
      }
      return;
    }
    long place = entry * SECTOR;
    if (place > limit - stride) {
      checker.error("block " + block + " in sector " + entry + " is past the end of the file");
      return;
    }
    if (areas.touches(place, stride)) {
      checker.error("block " + block + " in sector " + entry + " lies over metadata");
      return;
    }
    if (count == places.length) {
      places = Arrays.copyOf(places, 2 * count);
    }
    if (count > 0 && (places[count - 1] >>> 32) * SECTOR + stride > place) {
      fragmented++;
    }
    places[count++] = (entry << 32) | block;
    checkBitmap(block, place, isCalledFull);
  }

  private void checkBitmap(long block, long place, boolean isCalledFull) throws IOException {
    file.readFully(bitmap.clear(), place);
    long first = block * structures.blockSize();
    long inDisk = Math.min(structures.blockSize(), structures.virtualSize() - first);
    int sectors = (int) (inDisk / SECTOR);
    boolean reads = !structures.isDifferencing() && !isEncrypted();
    for (int i = 0; i < sectors; i++) {
      if ((i & 7) == 0 && i + 8 <= sectors && bitmap.get(i >>> 3) == -1) {
        i += 7;
        continue;
      }
      boolean isSet = ((bitmap.get(i >>> 3) << (i & 7)) & 0x80) != 0;
      if (!isSet && isCalledFull) {
        checker.error(
            "the batmap shows block " + block + " full, but sector " + i + " of it is not there");
        isCalledFull = false;
      }
      if (!isSet && reads && hasData(place + structures.bitmapBytes() + (long) i * SECTOR)) {
        checker.warn("sector " + i + " of block " + block + " has data, and is zero by the bitmap");
        reads = false;
      }
    }
  }

  private boolean isEncrypted() {
    return structures.batmap().flatMap(BatmapHeader::keyHash).isPresent();
  }

  private boolean hasData(long offset) throws IOException {
    if (file.dataEnd(offset, SECTOR) <= offset) {
      return false;
    }
    file.readPadded(sector.clear(), offset);
    for (int i = 0; i < SECTOR; i += Long.BYTES) {
      if (sector.getLong(i) != 0) {
        return true;
      }
    }
    return false;
  }

  /** Sectors are sorted as unsigned numbers. */
  private void checkApart() {
    long[] sorted = Arrays.copyOf(places, count);
    for (int i = 0; i < count; i++) {
      sorted[i] ^= Long.MIN_VALUE;
    }
    Arrays.sort(sorted);
    for (int i = 1; i < count; i++) {
      long before = sorted[i - 1] ^ Long.MIN_VALUE;
      long after = sorted[i] ^ Long.MIN_VALUE;
      if (((before >>> 32) * SECTOR) + stride > (after >>> 32) * SECTOR) {
        checker.error(
            String.format(
                "blocks %d and %d, in sectors %d and %d, overlap",
                before & 0xffff_ffffL, after & 0xffff_ffffL, before >>> 32, after >>> 32));
      }
    }
  }

  private long end() {
    long end = areas.end();
    for (int i = 0; i < count; i++) {
      end = Math.max(end, (places[i] >>> 32) * SECTOR + stride);
    }
    return end + HardDiskFooter.BYTES;
  }
}
