package io.vdisk.format.vhdx;

import io.vdisk.Capability;
import io.vdisk.CorruptImageException;
import io.vdisk.ImageInfo;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.WritableLayout;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An open VHDX image: payload blocks through the block allocation table; where a block is partially
 * present, its sectors through the sector bitmap. It keeps:
 *
 * <ol>
 *   <li>While an entry says "partially present", bits of its block are only set; a block gets into
 *       that state from "not present" alone, with its bits cleared in the same hold before.
 *   <li>What a fixed disk has space for keeps it.
 *   <li>What is not present is the backing device's; all other states without space read as zero.
 * </ol>
 */
final class VhdxLayout implements WritableLayout {
  private final VhdxImage image;
  private final BlockWriter writer;
  private final boolean backed;

  /**
   * An image.
   *
   * @param backed whether there is a backing device
   */
  VhdxLayout(VhdxImage image, boolean backed) {
    this.image = image;
    this.writer = new BlockWriter(image);
    this.backed = backed;
  }

  @Override
  public ImageInfo info() {
    return image.info();
  }

  @Override
  public long unitStart(long offset) {
    return offset & -image.blockSize();
  }

  @Override
  public long unitEnd(long offset) {
    return unitStart(offset) + image.blockSize();
  }

  /** Parts of a block are zeroed where they lie. */
  @Override
  public long granule() {
    return image.sectorSize();
  }

  /** That a part of a block is zero can be written down nowhere; the host may do it fast. */
  @Override
  public Set<Capability> capabilities() {
    return image.isFixed()
        ? EnumSet.of(Capability.DISCARD)
        : EnumSet.of(Capability.DISCARD, Capability.FAST_ZERO);
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    BlockTables tables = image.tables();
    BatGeometry geometry = tables.geometry;
    long block = offset >>> geometry.blockBits();
    long number = geometry.entryOf(block);
    Slice slice = tables.bat(number);
    BatEntry entry = new BatEntry(slice.word(BlockTables.indexOf(number)));
    if (entry.isPartial()) {
      return mapSectors(tables, entry, block, offset, length);
    }
    long run = run(tables, slice, entry, block, offset, length);
    return switch (entry.state()) {
      case BatEntry.NOT_PRESENT -> Mapping.backing(run);
      case BatEntry.FULLY_PRESENT -> {
        long place = tables.checked(entry, geometry.blockSize(), "payload block", block);
        yield Mapping.stored(
            image.file(), place + (offset & (geometry.blockSize() - 1)), run, true);
      }
      case BatEntry.ZERO, BatEntry.UNDEFINED, BatEntry.UNMAPPED, BatEntry.UNMAPPED_OF_OLD ->
          Mapping.zero(run);
      default -> throw impossible(block, entry);
    };
  }

  private CorruptImageException impossible(long block, BatEntry entry) {
    return new CorruptImageException(
        image.file().name() + ": payload block " + block + " has " + entry);
  }

  /** How far blocks follow that are of one kind, within one slice of the table. */
  private static long run(
      BlockTables tables, Slice slice, BatEntry first, long block, long offset, long length)
      throws IOException {
    BatGeometry geometry = tables.geometry;
    long run = geometry.blockSize() - (offset & (geometry.blockSize() - 1));
    int index = BlockTables.indexOf(geometry.entryOf(block));
    for (long i = 1; run < length; i++) {
      long entry = geometry.entryOf(block + i);
      long at = index + (entry - geometry.entryOf(block));
      if (at >= slice.length()) {
        break;
      }
      BatEntry next = new BatEntry(slice.word((int) at));
      if (!first.isFollowedBy(next, i << geometry.blockBits())) {
        break;
      }
      if (next.state() == BatEntry.FULLY_PRESENT) {
        long unused = tables.checked(next, geometry.blockSize(), "payload block", block + i);
      }
      run += geometry.blockSize();
    }
    return Math.min(run, length);
  }

  /** A run of sectors that are all here, or all in the parent. */
  private Mapping mapSectors(
      BlockTables tables, BatEntry entry, long block, long offset, long length) throws IOException {
    if (!tables.disk.parent().isPresent()) {
      throw impossible(block, entry);
    }
    BatGeometry geometry = tables.geometry;
    long place = tables.checked(entry, geometry.blockSize(), "payload block", block);
    long within = offset & (geometry.blockSize() - 1);
    long first = offset >>> geometry.sectorBits();
    Slice bits = tables.bitmap(first);
    int index = (int) (first % BlockTables.BITS);
    boolean isHere = SectorBits.isSet(bits, index);
    int end = SectorBits.endOfRun(bits, index, isHere);
    long most = Math.min(length, geometry.blockSize() - within);
    long run = Math.min(most, ((long) (end - index) << geometry.sectorBits()) - sectorPart(offset));
    return isHere ? Mapping.stored(image.file(), place + within, run, true) : Mapping.backing(run);
  }

  private long sectorPart(long offset) {
    return offset & (image.sectorSize() - 1);
  }

  @Override
  public void beforeWrite(long offset, long length) throws IOException {
    image.beforeChange();
  }

  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    return writer.allocate(offset, length);
  }

  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    BatGeometry geometry = image.tables().geometry;
    long left = Math.min(offset + length, geometry.virtualSize()) - offset;
    boolean isWhole =
        offset == unitStart(offset)
            && (left >= geometry.blockSize() || offset + left == geometry.virtualSize());
    if (isWhole && !image.isFixed() && !keepSpace) {
      return writer.zeroBlocks(offset, left);
    }
    Mapping run = map(offset, Math.min(left, unitEnd(offset) - offset));
    return switch (run.kind()) {
      case ZERO -> run.length();
      case STORED -> {
        boolean keep = keepSpace || image.isFixed();
        yield run.file().zero(run.fileOffset(), run.length(), keep) ? run.length() : 0;
      }
      default -> backed || image.tables().disk.parent().isPresent() ? 0 : run.length();
    };
  }

  @Override
  public void flush() throws IOException {
    image.tables().writeBack.run();
  }

  @Override
  public void finish() throws IOException {
    image.log().end();
  }

  @Override
  public long durableBatch() {
    return image.durableBatch();
  }

  @Override
  public long quarantinedBytes() {
    return image.quarantine().bytes();
  }

  @Override
  public void recycle(long batch) throws IOException {
    BlockTables tables = image.tables();
    List<Quarantine.Entry> freed = tables.cache.locked(hold -> image.quarantine().take(batch));
    HostFile file = image.file();
    for (Quarantine.Entry entry : freed) {
      boolean unused = file.zero(entry.fileOffset(), entry.length(), false);
      tables.locked(hold -> image.space().give(entry.fileOffset(), entry.length()));
    }
  }

  @Override
  public <T> Optional<T> feature(Class<T> type, Exclusive exclusive) {
    return new VhdxFeatures(image, exclusive).find(type);
  }

  @Override
  public void reload() throws IOException {
    image.reload();
  }

  @Override
  public void close() {
    image.abandon();
  }
}
