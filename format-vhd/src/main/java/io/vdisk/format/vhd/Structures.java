package io.vdisk.format.vhd;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a dynamic or differencing disk says of itself: footers, header, batmap, and where each lies.
 * Immutable.
 *
 * @param header the dynamic disk header
 * @param batmap Xen's batmap, if there is one
 * @param blockBits a block has two to the power of this guest bytes
 */
record Structures(
    HostFile file,
    Footers footers,
    DynamicDiskHeader header,
    Optional<BatmapHeader> batmap,
    int blockBits) {
  static final int SECTOR = 512;

  /** An entry of the block allocation table that names no block. */
  static final long UNUSED = 0xffff_ffffL;

  /** Blocks of a sector, the least that QEMU opens. */
  private static final int MIN_BLOCK_BITS = 9;

  /** Blocks of 256 MiB: ours. The specification's default is 2 MiB, Xen takes no more. */
  static final int MAX_BLOCK_BITS = 28;

  /** Entries of a block allocation table: ours. 2 TiB in blocks of 128 KiB. */
  static final long MAX_ENTRIES = 1L << 24;

  /** Reads and checks the structures of a disk that is not fixed. */
  static Structures read(HostFile file, Footers footers, Footers.Reading reading, Limits limits)
      throws IOException {
    DynamicDiskHeader header = readHeader(file, footers.used(), reading);
    int blockBits = blockBits(file, header);
    Structures found =
        new Structures(
            file, footers, header, BatmapHeader.find(file, footers.used(), header), blockBits);
    found.validate(limits);
    return found;
  }

  private static DynamicDiskHeader readHeader(
      HostFile file, HardDiskFooter footer, Footers.Reading reading) throws IOException {
    long offset = footer.dataOffset();
    if (offset < HardDiskFooter.BYTES || offset % SECTOR != 0) {
      throw new CorruptImageException(
          file.name()
              + ": Data Offset of the footer is "
              + Long.toUnsignedString(offset)
              + ", where no header can be");
    }
    ByteBuffer bytes = ByteBuffer.allocate(DynamicDiskHeader.BYTES);
    try {
      file.readFully(bytes, offset);
    } catch (EOFException e) {
      throw new CorruptImageException(
          file.name() + ": the dynamic disk header at " + offset + " is past the end", e);
    }
    DynamicDiskHeader header = DynamicDiskHeader.of(bytes.flip());
    if (!header.hasCookie()) {
      throw new CorruptImageException(
          file.name() + ": there is no dynamic disk header at " + offset);
    }
    if (!header.hasRightChecksum() && reading == Footers.Reading.STRICT) {
      throw new CorruptImageException(
          String.format(
              "%s: the checksum of the dynamic disk header at %d is 0x%08x, and should be 0x%08x"
                  + " (a repair of the image would correct it)",
              file.name(), offset, header.checksum(), header.rightChecksum()));
    }
    if (header.version() != DynamicDiskHeader.VERSION_1_0) {
      throw new UnsupportedImageException(
          String.format(
              "%s: version 0x%08x of the dynamic disk header is not 1.0",
              file.name(), header.version()));
    }
    return header;
  }

  private static int blockBits(HostFile file, DynamicDiskHeader header) throws IOException {
    long size = header.blockSize();
    int bits = Long.numberOfTrailingZeros(size);
    if (Long.bitCount(size) != 1 || bits < MIN_BLOCK_BITS) {
      throw new CorruptImageException(
          file.name() + ": a block size of " + size + " is no power of two of at least 512");
    }
    if (bits > MAX_BLOCK_BITS) {
      throw new UnsupportedImageException(
          file.name() + ": blocks of " + size + " bytes are beyond " + (1L << MAX_BLOCK_BITS));
    }
    return bits;
  }

  private void validate(Limits limits) throws IOException {
    long size = virtualSize();
    String name = file.name();
    limits.checkVirtualSize(size, name);
    if (size % SECTOR != 0) {
      throw new CorruptImageException(name + ": the disk of " + size + " bytes has half a sector");
    }
    if (header.maxTableEntries() > MAX_ENTRIES) {
      throw new UnsupportedImageException(
          name
              + ": a block allocation table of "
              + header.maxTableEntries()
              + " entries is beyond "
              + MAX_ENTRIES);
    }
    if (blocks() > header.maxTableEntries()) {
      throw new CorruptImageException(
          String.format(
              "%s: the disk has %d blocks, and the block allocation table only %d entries",
              name, blocks(), header.maxTableEntries()));
    }
    limits.checkTable("block allocation table", header.maxTableEntries() * Integer.BYTES, name);
    long table = header.tableOffset();
    long headerOffset = footer().dataOffset();
    boolean isApart =
        table >= HardDiskFooter.BYTES
            && (table >= headerOffset + DynamicDiskHeader.BYTES
                || table <= headerOffset - tableBytes());
    if (!isApart || table % SECTOR != 0 || table > file.size() - tableBytes()) {
      throw new CorruptImageException(
          String.format(
              "%s: the block allocation table of %d bytes at %s is not in the file, or lies over other"
                  + " metadata",
              name, tableBytes(), Long.toUnsignedString(table)));
    }
  }

  HardDiskFooter footer() {
    return footers.used();
  }

  boolean isDifferencing() {
    return footer().is(DiskType.DIFFERENCING);
  }

  /** Bytes of the disk. */
  long virtualSize() {
    return footer().virtualSize();
  }

  /** Blocks that the disk needs. */
  long blocks() {
    return blocksOf(virtualSize());
  }

  long blocksOf(long size) {
    return (size >>> blockBits) + ((size & (blockSize() - 1)) == 0 ? 0 : 1);
  }

  long blockSize() {
    return 1L << blockBits;
  }

  /** Bytes of the bitmap before a block: whole sectors. */
  long bitmapBytes() {
    return bitmapBytes(blockBits);
  }

  static long bitmapBytes(int blockBits) {
    return roundUp(Math.max(1, (1L << blockBits) >>> 12), SECTOR);
  }

  /** Bytes of a block with its bitmap. */
  long stride() {
    return bitmapBytes() + blockSize();
  }

  /** Bytes of the entries that the disk needs, in whole words of 8 bytes. */
  long tableBytes() {
    return roundUp(Math.max(1, blocks()) * Integer.BYTES, Long.BYTES);
  }

  /** Where the sectors of the block allocation table end. */
  long tableEnd() {
    return header.tableOffset() + roundUp(header.maxTableEntries() * Integer.BYTES, SECTOR);
  }

  /** Everything in the file but blocks and the footer at its end. */
  MetadataAreas areas() {
    List<long[]> areas = new ArrayList<>();
    areas.add(new long[] {0, HardDiskFooter.BYTES});
    areas.add(new long[] {footer().dataOffset(), DynamicDiskHeader.BYTES});
    areas.add(new long[] {header.tableOffset(), tableEnd() - header.tableOffset()});
    batmap.ifPresent(
        map -> {
          areas.add(new long[] {map.headerOffset(), SECTOR});
          areas.add(new long[] {map.mapOffset(), map.mapBytes()});
        });
    for (ParentLocator locator : header.locators()) {
      if (isDifferencing() && locator.isUsed() && locator.dataOffset() > 0) {
        long space = Math.max(locator.spaceBytes(), locator.dataLength());
        areas.add(new long[] {locator.dataOffset(), space});
      }
    }
    return new MetadataAreas(areas);
  }

  static long roundUp(long value, int powerOfTwo) {
    return (value + powerOfTwo - 1) & -powerOfTwo;
  }
}
