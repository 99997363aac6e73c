package io.vdisk.format.vhdx;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.metadata.TableCache.Hold;
import java.io.IOException;

/** Sets space aside for blocks and sectors, and takes it from blocks that are zeroed. */
final class BlockWriter {
  private final VhdxImage image;

  BlockWriter(VhdxImage image) {
    this.image = image;
  }

  HostFile file() {
    return image.file();
  }

  /**
   * Space for a write within one block: for the block where all of it will be here, for sectors
   * where the parent has the others.
   */
  Allocation allocate(long offset, long length) throws IOException {
    BlockTables tables = image.tables();
    BatGeometry geometry = tables.geometry;
    long block = offset >>> geometry.blockBits();
    long start = block << geometry.blockBits();
    long end = Math.min(start + geometry.blockSize(), geometry.virtualSize());
    long bytes = Math.min(length, start + geometry.blockSize() - offset);
    boolean isWhole = offset == start && offset + bytes >= end;
    BatEntry entry =
        new BatEntry(
            tables.bat(geometry.entryOf(block)).word(BlockTables.indexOf(geometry.entryOf(block))));
    boolean isDifferencing = tables.disk.parent().isPresent();
    if (isDifferencing && (entry.isPartial() || (entry.isAbsent() && !isWhole))) {
      return allocateSectors(tables, block, offset, bytes);
    }
    return allocateBlock(tables, block, offset, bytes);
  }

  private Allocation allocateBlock(BlockTables tables, long block, long offset, long bytes)
      throws IOException {
    tables.writeBack.reserve(BlockAllocation.SLICES);
    boolean done = false;
    BlockSpace.Place place = null;
    try {
      place = take(tables, tables.geometry.blockSize());
      BlockAllocation space =
          new BlockAllocation(
              this, tables, block, place.offset(), isZero(place, tables), offset, bytes);
      done = true;
      return space;
    } finally {
      if (!done) {
        giveBack(tables, place, tables.geometry.blockSize());
        tables.writeBack.release(BlockAllocation.SLICES);
      }
    }
  }

  private boolean isZero(BlockSpace.Place place, BlockTables tables) throws IOException {
    return place.fresh() || file().zero(place.offset(), tables.geometry.blockSize(), false);
  }

  private Allocation allocateSectors(BlockTables tables, long block, long offset, long bytes)
      throws IOException {
    int slices = SectorAllocation.slices(tables.geometry);
    tables.writeBack.reserve(slices);
    boolean done = false;
    BlockSpace.Place bitmap = null;
    BlockSpace.Place place = null;
    try {
      long chunk = tables.geometry.chunkOf(block);
      BatEntry[] entries =
          tables.cache.locked(
              hold ->
                  new BatEntry[] {
                    tables.entry(hold, tables.geometry.entryOf(block)),
                    tables.bitmapEntry(hold, chunk)
                  });
      if (!entries[1].isPresent()) {
        bitmap = takeZeroed(tables, BatGeometry.BITMAP_BLOCK);
      }
      boolean isOwn = entries[0].isPartial();
      if (!isOwn) {
        place = take(tables, tables.geometry.blockSize());
      }
      SectorAllocation space =
          new SectorAllocation(
              this,
              tables,
              block,
              place == null
                  ? tables.checked(entries[0], tables.geometry.blockSize(), "payload block", block)
                  : place.offset(),
              isOwn,
              place != null && place.fresh(),
              bitmap == null ? 0 : bitmap.offset(),
              offset,
              bytes);
      done = true;
      return space;
    } finally {
      if (!done) {
        giveBack(tables, bitmap, BatGeometry.BITMAP_BLOCK);
        giveBack(tables, place, tables.geometry.blockSize());
        tables.writeBack.release(slices);
      }
    }
  }

  /** Space that lies within the file. */
  private BlockSpace.Place take(BlockTables tables, long bytes) throws IOException {
    BlockSpace.Place place = tables.cache.locked(hold -> image.space().take(bytes));
    boolean done = false;
    try {
      image.growTo(place.offset() + bytes);
      done = true;
      return place;
    } finally {
      if (!done) {
        giveBack(tables, place, bytes);
      }
    }
  }

  /** The same for a table: nobody but a slice says what is in it. */
  private BlockSpace.Place takeZeroed(BlockTables tables, int bytes) throws IOException {
    BlockSpace.Place place = take(tables, bytes);
    boolean done = false;
    try {
      if (!place.fresh() && !file().zero(place.offset(), bytes, false)) {
        file().write(java.nio.ByteBuffer.allocate(bytes), place.offset());
      }
      done = true;
      return place;
    } finally {
      if (!done) {
        giveBack(tables, place, bytes);
      }
    }
  }

  private void giveBack(
      BlockTables tables, BlockSpace.@org.jspecify.annotations.Nullable Place place, long bytes) {
    if (place != null) {
      give(tables, place.offset(), bytes);
    }
  }

  /** Gives back what nothing names. */
  void give(BlockTables tables, long offset, long bytes) {
    try {
      tables.locked(hold -> image.space().give(offset, bytes));
    } catch (IOException e) {
      throw new AssertionError("no slice was asked for", e);
    }
  }

  /** The same, in a hold. */
  void giveHeld(long offset, long bytes) {
    image.space().give(offset, bytes);
  }

  /** What an entry named loses its reference. */
  void drop(BlockTables tables, BatEntry old) {
    if (old.offset() != 0 && image.space().isInside(old.offset(), tables.geometry.blockSize())) {
      image.quarantine().add(old.offset(), tables.geometry.blockSize());
    }
  }

  /**
   * Records that whole blocks are zero, as far as one slice of the table goes.
   *
   * @return bytes done
   */
  long zeroBlocks(long offset, long length) throws IOException {
    BlockTables tables = image.tables();
    BatGeometry geometry = tables.geometry;
    long first = offset >>> geometry.blockBits();
    long whole =
        offset + length == geometry.virtualSize()
            ? (length + geometry.blockSize() - 1) >>> geometry.blockBits()
            : length >>> geometry.blockBits();
    long last = geometry.entryOf(first) / BlockTables.PER_SLICE;
    long count = 1;
    while (count < whole && geometry.entryOf(first + count) / BlockTables.PER_SLICE == last) {
      count++;
    }
    long blocks = count;
    tables.changing(1, hold -> zeroBlocks(hold, tables, first, blocks));
    return Math.min(length, blocks << geometry.blockBits());
  }

  private void zeroBlocks(Hold hold, BlockTables tables, long first, long count)
      throws IOException {
    BatEntry zero = BatEntry.of(BatEntry.ZERO);
    for (long block = first; block < first + count; block++) {
      long number = tables.geometry.entryOf(block);
      BatEntry old = tables.entry(hold, number);
      if (!old.equals(zero)) {
        drop(tables, old);
        tables.set(hold, number, zero);
      }
    }
  }
}
