package io.vdisk.format.vhdx;

/**
 * Where in the block allocation table, and in the sector bitmap, a guest offset is found. After the
 * entries of a chunk's payload blocks comes the one of its sector bitmap block. Source: [MS-VHDX]
 * 2.4 and 2.5.
 *
 * @param virtualSize bytes of the disk
 * @param blockBits log2 of a payload block
 * @param sectorBits log2 of a logical sector
 */
record BatGeometry(long virtualSize, int blockBits, int sectorBits) {
  /** Sectors of a chunk: bits of a sector bitmap block of 1 MiB. */
  static final int CHUNK_SECTOR_BITS = 23;

  /** Bytes of a sector bitmap block. */
  static final int BITMAP_BLOCK = 1 << 20;

  static BatGeometry of(DiskParameters disk) {
    return new BatGeometry(
        disk.virtualSize(),
        Integer.numberOfTrailingZeros(disk.blockSize()),
        Integer.numberOfTrailingZeros(disk.logicalSector()));
  }

  long blockSize() {
    return 1L << blockBits;
  }

  /** log2 of the payload blocks of a chunk; at least 4. */
  int ratioBits() {
    return CHUNK_SECTOR_BITS + sectorBits - blockBits;
  }

  /** Payload blocks of the disk. */
  long blocks() {
    return (virtualSize + blockSize() - 1) >>> blockBits;
  }

  /** Chunks of the disk. */
  long chunks() {
    return (blocks() + (1L << ratioBits()) - 1) >>> ratioBits();
  }

  /** The entry of a payload block. */
  long entryOf(long block) {
    return block + (block >>> ratioBits());
  }

  /** The entry of a chunk's sector bitmap block. */
  long bitmapEntryOf(long chunk) {
    return ((chunk + 1) << ratioBits()) + chunk;
  }

  long chunkOf(long block) {
    return block >>> ratioBits();
  }

  /** Whether an entry is that of a sector bitmap block. */
  boolean isBitmapEntry(long entry) {
    long each = (1L << ratioBits()) + 1;
    return entry % each == each - 1;
  }

  /** The payload block of an entry that is not a bitmap's. */
  long blockOf(long entry) {
    return entry - entry / ((1L << ratioBits()) + 1);
  }

  /** Entries of the table. */
  long entries(boolean differencing) {
    if (blocks() == 0) {
      return 0;
    }
    return differencing ? bitmapEntryOf(chunks() - 1) + 1 : entryOf(blocks() - 1) + 1;
  }

  /** Sectors, hence bits, of a block. */
  int sectorsOfBlock() {
    return 1 << (blockBits - sectorBits);
  }

  /** The first bit of a block, counted from the beginning of the disk. */
  long firstBit(long block) {
    return block << (blockBits - sectorBits);
  }

  /** Bytes of a disk's table, whole mebibytes. */
  static long regionBytes(long entries) {
    long bytes = Math.max(1, entries) * Long.BYTES;
    return (bytes + FileRanges.MIB - 1) & -FileRanges.MIB;
  }
}
