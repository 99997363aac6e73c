package io.vdisk.format.vhdx;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache.Hold;
import java.io.IOException;

/**
 * Sectors of a block of which the parent has others. The block may be new, and its sector bitmap
 * too.
 */
final class SectorAllocation implements Allocation {
  private final BlockWriter writer;
  private final BlockTables tables;
  private final long block;
  private final long place;
  private final boolean isOwn;
  private final boolean zeroed;

  /** Where a new sector bitmap block may lie; 0: there was one. */
  private final long bitmap;

  private final long within;
  private final long length;
  private final long head;
  private final long tail;

  /**
   * An allocation.
   *
   * @param place where the block lies
   * @param isOwn whether it lay there before
   * @param bitmap where a new sector bitmap block may lie, zero; 0: there was one
   * @param offset first guest byte of the write
   * @param length bytes, within the block
   */
  SectorAllocation(
      BlockWriter writer,
      BlockTables tables,
      long block,
      long place,
      boolean isOwn,
      boolean zeroed,
      long bitmap,
      long offset,
      long length) {
    this.writer = writer;
    this.tables = tables;
    this.block = block;
    this.place = place;
    this.isOwn = isOwn;
    this.zeroed = zeroed;
    this.bitmap = bitmap;
    this.within = offset & (tables.geometry.blockSize() - 1);
    this.length = length;
    long sector = 1L << tables.geometry.sectorBits();
    this.head = offset & (sector - 1);
    this.tail = -(offset + length) & (sector - 1);
  }

  /** Slices that one may change: two entries, and the bits of the block. */
  static int slices(BatGeometry geometry) {
    return 2 + bitmapSlices(geometry);
  }

  private static int bitmapSlices(BatGeometry geometry) {
    return Math.max(1, geometry.sectorsOfBlock() / BlockTables.BITS);
  }

  @Override
  public HostFile file() {
    return writer.file();
  }

  @Override
  public long fileOffset() {
    return place + within;
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public long head() {
    return head;
  }

  @Override
  public long tail() {
    return tail;
  }

  @Override
  public boolean zeroed() {
    return zeroed;
  }

  @Override
  public void commit() throws IOException {
    tables.locked(this::commit);
    tables.writeBack.release(slices(tables.geometry));
  }

  private void commit(Hold hold) throws IOException {
    BatGeometry geometry = tables.geometry;
    long chunk = geometry.chunkOf(block);
    long number = geometry.entryOf(block);
    BatEntry old = tables.entry(hold, number);
    boolean isNew = !tables.bitmapEntry(hold, chunk).isPresent();
    long firstSlice = geometry.firstBit(block) / BlockTables.BITS;
    Slice[] slices = new Slice[bitmapSlices(geometry)];
    if (!isNew) {
      for (int i = 0; i < slices.length; i++) {
        slices[i] = tables.bitmap(hold, firstSlice + i);
      }
    }
    // Everything was looked up; from here on it is changed.
    if (isNew) {
      for (int i = 0; i < slices.length; i++) {
        slices[i] = tables.newBitmap(hold, firstSlice + i, bitmap);
      }
    }
    boolean isFull = setBits(hold, slices, firstSlice, old.isPartial());
    if (isNew) {
      tables.set(hold, geometry.bitmapEntryOf(chunk), BatEntry.at(bitmap, BatEntry.FULLY_PRESENT));
    } else if (bitmap != 0) {
      writer.giveHeld(bitmap, BatGeometry.BITMAP_BLOCK); // another block's writer was first
    }
    int state = isFull ? BatEntry.FULLY_PRESENT : BatEntry.PARTIALLY_PRESENT;
    BatEntry entry = BatEntry.at(place, state);
    if (!entry.equals(old)) {
      if (!isOwn) {
        writer.drop(tables, old);
      }
      tables.set(hold, number, entry);
    }
  }

  /**
   * Sets the bits of the write; those of a block that was not partially present mean nothing, and
   * are cleared before. Whether all are set then.
   */
  private boolean setBits(Hold hold, Slice[] slices, long firstSlice, boolean wasPartial) {
    BatGeometry geometry = tables.geometry;
    long firstBit = geometry.firstBit(block);
    long from = firstBit + (within >>> geometry.sectorBits());
    long to = firstBit + ((within + length + tail) >>> geometry.sectorBits());
    long firstWord = firstBit / Long.SIZE;
    long lastWord = firstWord + geometry.sectorsOfBlock() / Long.SIZE;
    boolean isFull = true;
    for (long word = firstWord; word < lastWord; word++) {
      Slice slice = slices[(int) (word * Long.SIZE / BlockTables.BITS - firstSlice)];
      int index = (int) (word % (BlockTables.BITS / Long.SIZE));
      long old = slice.word(index);
      long value = (wasPartial ? old : 0) | SectorBits.mask(word, from, to);
      if (value != old) {
        hold.set(slice, index, value);
      }
      isFull &= value == -1L;
    }
    return isFull;
  }

  @Override
  public void abort() {
    try {
      if (bitmap != 0) {
        writer.give(tables, bitmap, BatGeometry.BITMAP_BLOCK);
      }
      if (!isOwn) {
        writer.give(tables, place, tables.geometry.blockSize());
      }
    } finally {
      tables.writeBack.release(slices(tables.geometry));
    }
  }
}
