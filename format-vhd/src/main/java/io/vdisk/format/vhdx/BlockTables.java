package io.vdisk.format.vhdx;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.Journal;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import io.vdisk.spi.metadata.WriteBack;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;

/**
 * Block allocation table and sector bitmaps, what of them is in memory, and how they are written:
 * all at once, through the log.
 */
final class BlockTables {
  /** Entries of a slice. */
  static final int PER_SLICE = TableKind.MAX_SLICE / Long.BYTES;

  /** Bits of a slice of a sector bitmap. */
  static final int BITS = TableKind.MAX_SLICE * Byte.SIZE;

  /** Slices of a sector bitmap block. */
  static final int PER_BITMAP = BatGeometry.BITMAP_BLOCK / TableKind.MAX_SLICE;

  /** In which order changed tables become durable: the log makes it one moment. */
  enum WriteStage {
    /** Exposes guest data. */
    METADATA
  }

  final DiskParameters disk;
  final BatGeometry geometry;
  final TableCache cache;
  final WriteBack<WriteStage> writeBack;
  private final HostFile file;
  private final TableKind bat;
  private final TableKind bitmaps;
  private final long batOffset;

  /** Bytes that the file has at least, as long as it is open. */
  private volatile long size;

  /**
   * The tables of an image.
   *
   * @param logged where they lie
   * @param batOffset where the block allocation table begins
   */
  BlockTables(
      LoggedFile logged,
      DiskParameters disk,
      long batOffset,
      CacheBudget budget,
      Quarantine quarantine,
      Journal journal) {
    this.file = logged;
    this.disk = disk;
    this.geometry = BatGeometry.of(disk);
    this.batOffset = batOffset;
    this.cache = new TableCache(budget);
    this.bat = cache.add(new Bat());
    this.bitmaps = cache.add(new Bitmaps());
    this.writeBack =
        new WriteBack<>(
            WriteStage.class, WriteStage.METADATA, cache, quarantine, List.of(logged), journal);
  }

  private final class Bat extends TableKind {
    Bat() {
      super(
          "BAT",
          file,
          ByteOrder.LITTLE_ENDIAN,
          MAX_SLICE,
          wholeSlices(geometry.entries(disk.parent().isPresent()) * Long.BYTES),
          WriteStage.METADATA);
    }

    @Override
    protected long position(Hold hold, long index) {
      return batOffset + index * MAX_SLICE;
    }
  }

  private final class Bitmaps extends TableKind {
    Bitmaps() {
      super(
          "sector bitmap",
          file,
          ByteOrder.LITTLE_ENDIAN,
          MAX_SLICE,
          disk.parent().isPresent() ? geometry.chunks() << 20 : TableKind.MAX_SLICE,
          WriteStage.METADATA);
    }

    @Override
    protected long position(Hold hold, long index) throws IOException {
      BatEntry entry = bitmapEntry(hold, index / PER_BITMAP);
      if (entry.state() != BatEntry.FULLY_PRESENT) {
        return 0;
      }
      return checked(entry, BatGeometry.BITMAP_BLOCK, "the sector bitmap", index / PER_BITMAP)
          + index % PER_BITMAP * MAX_SLICE;
    }
  }

  private static long wholeSlices(long bytes) {
    long least = Math.max(1, bytes);
    return (least + TableKind.MAX_SLICE - 1) & -TableKind.MAX_SLICE;
  }

  /** A slice of the block allocation table, loaded if need be. */
  Slice bat(long entry) throws IOException {
    return Objects.requireNonNull(cache.load(bat, entry / PER_SLICE));
  }

  /** The same, in a hold. */
  Slice bat(Hold hold, long entry) throws IOException {
    return Objects.requireNonNull(hold.slice(bat, entry / PER_SLICE));
  }

  static int indexOf(long entry) {
    return (int) (entry % PER_SLICE);
  }

  BatEntry entry(Hold hold, long entry) throws IOException {
    return new BatEntry(bat(hold, entry).word(indexOf(entry)));
  }

  void set(Hold hold, long entry, BatEntry value) throws IOException {
    hold.set(bat(hold, entry), indexOf(entry), value.raw());
  }

  BatEntry bitmapEntry(Hold hold, long chunk) throws IOException {
    return entry(hold, geometry.bitmapEntryOf(chunk));
  }

  /** The slice of the sector bitmap that has a bit, loaded if need be. */
  Slice bitmap(long bit) throws IOException {
    Slice slice = cache.load(bitmaps, bit / BITS);
    if (slice == null) {
      throw new CorruptImageException(
          file.name()
              + ": the block of guest offset "
              + (bit << geometry.sectorBits())
              + " is partially present, and there is no sector bitmap");
    }
    return slice;
  }

  /** A slice of the sector bitmap, in a hold; its block is there. */
  Slice bitmap(Hold hold, long slice) throws IOException {
    return Objects.requireNonNull(hold.slice(bitmaps, slice));
  }

  /** A slice of a sector bitmap block that gets its entry in the same hold. */
  Slice newBitmap(Hold hold, long slice, long block) {
    return hold.create(bitmaps, slice, block + slice % PER_BITMAP * TableKind.MAX_SLICE);
  }

  /** The place that an entry names, if something can be there. */
  long checked(BatEntry entry, long bytes, String what, long number) throws IOException {
    long offset = entry.offset();
    if (offset > size - bytes) {
      size = file.size(); // it has grown since, perhaps
    }
    if (offset < FileRanges.HEADER_SECTION || offset > size - bytes) {
      throw new CorruptImageException(
          file.name()
              + ": "
              + what
              + " "
              + number
              + " is at "
              + Long.toUnsignedString(offset)
              + ", outside the file");
    }
    return offset;
  }

  /** What is done in one hold of the metadata lock, for its effect. */
  @FunctionalInterface
  interface Change {
    void run(Hold hold) throws IOException;
  }

  /** Runs a body whose slices are reserved already. */
  void locked(Change change) throws IOException {
    boolean unused =
        cache.<Boolean>locked(
            hold -> {
              change.run(hold);
              return true;
            });
  }

  /** Runs a body that dirties at most so many slices. */
  void changing(int slices, Change change) throws IOException {
    writeBack.reserve(slices);
    try {
      locked(change);
    } finally {
      writeBack.release(slices);
    }
  }
}
