package io.vdisk.format.vhd;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The block allocation table of a disk, and the sector bitmaps before its blocks. Thread-safe.
 *
 * <p>It keeps:
 *
 * <ol>
 *   <li>What an entry names lies whole inside the file and beside all metadata; an entry that says
 *       otherwise is not followed.
 *   <li>A bitmap is found by the number of its guest block. Who reads one looks at the entry before
 *       and after: where both name the same place, the bits are of that block, because a place is
 *       named again only when nobody reads it, and a bitmap is forgotten in the hold that removes
 *       the entry.
 *   <li>Bits of a block that is named are only set, never cleared.
 * </ol>
 */
final class BlockTables {
  private static final int ENTRIES_PER_SLICE = TableKind.MAX_SLICE / Integer.BYTES;
  private static final int SECTOR = Structures.SECTOR;

  private final HostFile file;
  private final Structures structures;
  private final MetadataAreas areas;
  private final int blockBits;
  private final long blockMask;
  private final int bitmapBytes;
  private final int bitmapSliceBytes;
  private final int slicesPerBitmap;
  private final int sectorsPerSlice;
  private final TableCache cache;
  private final TableKind bat;
  private final TableKind bitmaps;

  /** Where the space ends that blocks may lie in. */
  private volatile long limit;

  BlockTables(Structures structures, TableCache cache, long limit) {
    this.file = structures.file();
    this.structures = structures;
    this.areas = structures.areas();
    this.blockBits = structures.blockBits();
    this.blockMask = structures.blockSize() - 1;
    this.bitmapBytes = (int) structures.bitmapBytes();
    this.bitmapSliceBytes = Math.min(TableKind.MAX_SLICE, bitmapBytes);
    this.slicesPerBitmap = bitmapBytes / bitmapSliceBytes;
    this.sectorsPerSlice = bitmapSliceBytes * Byte.SIZE;
    this.cache = cache;
    this.limit = limit;
    this.bat = cache.add(new Bat());
    this.bitmaps = cache.add(new Bitmaps());
  }

  Structures structures() {
    return structures;
  }

  MetadataAreas areas() {
    return areas;
  }

  TableCache cache() {
    return cache;
  }

  /** Blocks may lie up to there: the file has grown. */
  void growTo(long newLimit) {
    limit = newLimit;
  }

  /** Slices that change when a block gets its place: those of the bitmap, and the entry's. */
  int slicesOfNewBlock() {
    return slicesPerBitmap + 1;
  }

  /** The longest run that one slice in memory shows. */
  Mapping map(long offset, long length) throws IOException {
    long block = offset >>> blockBits;
    while (true) {
      Slice entries = entries(block);
      long entry = entries.u32(entryOf(block));
      if (entry == Structures.UNUSED) {
        return Mapping.backing(
            Math.min(length, unusedEnd(entries, block, offset + length) - offset));
      }
      long place = place(block, entry);
      int sector = (int) ((offset & blockMask) / SECTOR);
      Slice bits = cache.load(bitmaps, block * slicesPerBitmap + sector / sectorsPerSlice);
      if (bits == null) {
        continue; // the block was given up meanwhile
      }
      int first = sector % sectorsPerSlice;
      long most = Math.min(length, blockMask + 1 - (offset & blockMask));
      int sectors = (int) Math.min(sectorsPerSlice - first, most / SECTOR + 2);
      boolean isHere = SectorBitmap.isSet(bits, first);
      int end = SectorBitmap.endOfRun(bits, first, first + sectors, isHere);
      if (entries(block).u32(entryOf(block)) != entry) {
        continue; // the bits may be of another block
      }
      long run = Math.min(most, (long) (end - first) * SECTOR - offset % SECTOR);
      return isHere
          ? Mapping.stored(file, place + bitmapBytes + (offset & blockMask), run, true)
          : Mapping.backing(run);
    }
  }

  /** Where the run of blocks without a place ends; a guest offset. */
  private long unusedEnd(Slice entries, long block, long end) {
    int at = entryOf(block);
    int entriesHere = entries.length() * 2;
    long next = block + 1;
    while (++at < entriesHere && next << blockBits < end && entries.u32(at) == Structures.UNUSED) {
      next++;
    }
    return next << blockBits;
  }

  private Slice entries(long block) throws IOException {
    return Objects.requireNonNull(cache.load(bat, block / ENTRIES_PER_SLICE));
  }

  private Slice entries(Hold hold, long block) throws IOException {
    return Objects.requireNonNull(hold.slice(bat, block / ENTRIES_PER_SLICE));
  }

  private static int entryOf(long block) {
    return (int) (block % ENTRIES_PER_SLICE);
  }

  /** Whether the block around a guest offset has a place. */
  boolean hasPlace(long offset) throws IOException {
    long block = offset >>> blockBits;
    return entries(block).u32(entryOf(block)) != Structures.UNUSED;
  }

  /** Where the block around a guest offset lies with its bitmap; 0 if nowhere. */
  long place(Hold hold, long offset) throws IOException {
    long block = offset >>> blockBits;
    long entry = entries(hold, block).u32(entryOf(block));
    return entry == Structures.UNUSED ? 0 : place(block, entry);
  }

  private long place(long block, long entry) throws CorruptImageException {
    long place = entry * SECTOR;
    if (place > limit - bitmapBytes - blockMask - 1
        || areas.touches(place, bitmapBytes + blockMask + 1)) {
      throw new CorruptImageException(
          String.format(
              "%s: block %d is said to be in sector %d, where no block can be",
              file.name(), block, entry));
    }
    return place;
  }

  /** Gives a block without one a place; of its sectors these are there. Slices are reserved. */
  void name(Hold hold, long offset, long place, int firstSector, int endSector) throws IOException {
    long block = offset >>> blockBits;
    Slice entries = entries(hold, block);
    for (int i = 0; i < slicesPerBitmap; i++) {
      Slice bits =
          hold.create(
              bitmaps, block * slicesPerBitmap + i, place + (long) i * bitmapSliceBytes, entries);
      setBits(hold, bits, i, firstSector, endSector);
    }
    hold.setU32(entries, entryOf(block), place / SECTOR);
  }

  /** These sectors are in the block from now on, which has a place. */
  void mark(Hold hold, long offset, int firstSector, int endSector) throws IOException {
    long block = offset >>> blockBits;
    int first = firstSector / sectorsPerSlice;
    int last = (endSector - 1) / sectorsPerSlice;
    for (int i = first; i <= last; i++) {
      bits(hold, block, i);
    }
    for (int i = first; i <= last; i++) {
      setBits(hold, bits(hold, block, i), i, firstSector, endSector);
    }
  }

  private void setBits(Hold hold, Slice bits, int piece, int firstSector, int endSector) {
    int base = piece * sectorsPerSlice;
    int first = Math.max(firstSector - base, 0);
    int end = Math.min(endSector - base, sectorsPerSlice);
    if (first < end) {
      SectorBitmap.set(hold, bits, first, end);
    }
  }

  private Slice bits(Hold hold, long block, int piece) throws IOException {
    @Nullable Slice bits = hold.slice(bitmaps, block * slicesPerBitmap + piece);
    if (bits == null) {
      throw new CorruptImageException(file.name() + ": block " + block + " has no place");
    }
    return bits;
  }

  /** Whether all sectors of a block are there. Not told of blocks with long bitmaps. */
  boolean isFull(Hold hold, long offset) throws IOException {
    int sectors = (int) ((blockMask + 1) / SECTOR);
    if (sectors > sectorsPerSlice) {
      return false;
    }
    Slice bits = bits(hold, offset >>> blockBits, 0);
    return SectorBitmap.isSet(bits, 0) && SectorBitmap.endOfRun(bits, 0, sectors, true) == sectors;
  }

  /** Takes a block's place away; where that was. Nobody may use it before it is durably gone. */
  long forget(Hold hold, long offset) throws IOException {
    long block = offset >>> blockBits;
    Slice entries = entries(hold, block);
    long place = place(hold, offset);
    Slice[] bits = new Slice[slicesPerBitmap];
    for (int i = 0; i < slicesPerBitmap; i++) {
      bits[i] = bits(hold, block, i);
    }
    hold.setU32(entries, entryOf(block), Structures.UNUSED);
    for (Slice slice : bits) {
      hold.remove(slice);
    }
    return place;
  }

  private final class Bat extends TableKind {
    Bat() {
      super(
          "block allocation table",
          file,
          ByteOrder.BIG_ENDIAN,
          MAX_SLICE,
          structures.tableBytes(),
          WriteStage.EXPOSE);
    }

    @Override
    protected long position(Hold hold, long index) {
      return structures.header().tableOffset() + index * MAX_SLICE;
    }
  }

  private final class Bitmaps extends TableKind {
    Bitmaps() {
      super(
          "sector bitmap",
          file,
          ByteOrder.BIG_ENDIAN,
          bitmapSliceBytes,
          Math.max(1, structures.blocks()) * bitmapBytes,
          WriteStage.EXPOSE,
          WriteStage.NEW_BLOCK);
    }

    @Override
    protected long position(Hold hold, long index) throws IOException {
      long place = place(hold, (index / slicesPerBitmap) << blockBits);
      return place == 0 ? 0 : place + index % slicesPerBitmap * bitmapSliceBytes;
    }
  }
}
