package io.vdisk.testkit.toy;

import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Like a dynamic or differencing VHD: a block allocation table names blocks of 16 KiB, and a sector
 * before each block has a bit for each of its sectors: 1, the sector is here; 0, it is the backing
 * file's. That a sector reads as zero cannot be said over a backing file.
 */
final class SectoredFormat extends ToyFormat {
  static final int BLOCK = 16_384;
  static final int SECTOR = 512;
  static final int SECTORS = BLOCK / SECTOR;

  /** A block with its bitmap. */
  static final int STRIDE = SECTOR + BLOCK;

  /** Entries of a sector of the block allocation table. */
  static final int PER_SECTOR = SECTOR / Long.BYTES;

  /** Words of the header: where the block allocation table begins, and where the blocks do. */
  static final int BAT_OFFSET = 0;

  static final int DATA_OFFSET = 1;

  SectoredFormat() {
    super("sectored", BLOCK);
  }

  static long batBytes(long virtualSize) {
    return Math.max(1, ceilDiv(virtualSize, (long) BLOCK * PER_SECTOR)) * SECTOR;
  }

  @Override
  ToyLayout<?> layout(Parts parts) throws IOException {
    return new SectoredLayout(parts);
  }

  @Override
  List<Long> format(HostFile file, ToyHeader header, CreateContext context) throws IOException {
    long bytes = batBytes(header.virtualSize());
    context.limits().checkTable("block allocation table", bytes, file.name());
    file.write(ByteBuffer.allocate((int) bytes), ToyHeader.BYTES);
    return List.of((long) ToyHeader.BYTES, ToyHeader.BYTES + bytes);
  }
}
