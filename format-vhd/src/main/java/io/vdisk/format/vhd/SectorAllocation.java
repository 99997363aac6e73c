package io.vdisk.format.vhd;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import java.io.IOException;

/** Sectors of one block, which may be new. */
final class SectorAllocation implements Allocation {
  private static final int SECTOR = Structures.SECTOR;

  private final SparseMetadata metadata;
  private final BlockSpace.Place place;
  private final boolean isNew;

  /** The guest offset of the write. */
  private final long offset;

  /** The sectors of the block that the space is for. */
  private final int firstSector;

  private final int endSector;
  private final long head;
  private final long length;
  private final long tail;

  private SectorAllocation(
      SparseMetadata metadata,
      BlockSpace.Place place,
      boolean isNew,
      long offset,
      long length,
      boolean isWhole) {
    long blockSize = metadata.structures().blockSize();
    long within = offset & (blockSize - 1);
    this.metadata = metadata;
    this.place = place;
    this.isNew = isNew;
    this.offset = offset;
    this.length = length;
    this.firstSector = isWhole ? 0 : (int) (within / SECTOR);
    this.endSector =
        (int) ((isWhole ? blockSize : Structures.roundUp(within + length, SECTOR)) / SECTOR);
    this.head = within - (long) firstSector * SECTOR;
    this.tail = (long) endSector * SECTOR - within - length;
  }

  /** Sectors that a block has not yet which lies in {@code place}. */
  static SectorAllocation inBlock(SparseMetadata metadata, long place, long offset, long length) {
    return new SectorAllocation(
        metadata, new BlockSpace.Place(place, false), false, offset, length, false);
  }

  /**
   * Sectors of a new block.
   *
   * @param isBySector whether only what is written is in the block
   */
  static SectorAllocation ofBlock(
      SparseMetadata metadata,
      BlockSpace.Place place,
      long offset,
      long length,
      boolean isBySector) {
    return new SectorAllocation(metadata, place, true, offset, length, !isBySector);
  }

  @Override
  public HostFile file() {
    return metadata.file;
  }

  @Override
  public long fileOffset() {
    Structures structures = metadata.structures();
    return place.offset() + structures.bitmapBytes() + (offset & (structures.blockSize() - 1));
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
    return isNew && place.zeroed();
  }

  @Override
  public void commit() throws IOException {
    BlockTables tables = metadata.tables();
    long block = offset / metadata.structures().blockSize();
    Batmap batmap = metadata.batmap();
    boolean[] isFull = new boolean[1];
    metadata.locked(
        hold -> {
          if (isNew) {
            tables.name(hold, offset, place.offset(), firstSector, endSector);
          } else {
            tables.mark(hold, offset, firstSector, endSector);
          }
          isFull[0] = batmap != null && tables.isFull(hold, offset);
        });
    metadata.writeBack.release(tables.slicesOfNewBlock());
    if (batmap != null && isFull[0]) {
      batmap.fill(block);
    }
  }

  @Override
  public void abort() {
    try {
      if (isNew) {
        metadata.locked(hold -> metadata.space().give(place.offset(), false));
      }
    } catch (IOException e) {
      throw new AssertionError("no slice was asked for", e);
    } finally {
      metadata.writeBack.release(metadata.tables().slicesOfNewBlock());
    }
  }
}
