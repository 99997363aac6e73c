package io.vdisk.format.vhdx;

import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Grows a disk: first the entries behind its end say that their blocks are zero, then the size
 * changes. Where the block allocation table has no room, it moves to the end of the file first;
 * both region tables change at once, through the log.
 */
final class VhdxResizing {
  private static final int STEP = 1 << 20;

  private final VhdxImage image;
  private final HostFile file;

  VhdxResizing(VhdxImage image) {
    this.image = image;
    this.file = image.file();
  }

  void resize(long virtualSize) throws IOException {
    DiskParameters disk = image.structure().disk();
    if (virtualSize == disk.virtualSize()) {
      return;
    }
    if (virtualSize < disk.virtualSize()) {
      throw new UnsupportedImageException(
          file.name() + ": a VHDX disk can only grow, and it has " + disk.virtualSize());
    }
    if (virtualSize > DiskParameters.MAX_VIRTUAL_SIZE || virtualSize % disk.logicalSector() != 0) {
      throw new UnsupportedImageException(
          file.name() + ": a VHDX disk cannot have " + virtualSize + " bytes");
    }
    image.beforeChange();
    DiskParameters larger = disk.withVirtualSize(virtualSize);
    BatGeometry after = BatGeometry.of(larger);
    long bytes = BatGeometry.regionBytes(after.entries(disk.parent().isPresent()));
    if (bytes > image.structure().bat().length()) {
      moveTable(bytes);
    }
    zeroRestOfLastBlock(disk);
    fillEntries(BatGeometry.of(disk), after, disk);
    new MetadataUpdate(image)
        .replace(MetadataTable.VIRTUAL_DISK_SIZE, larger.virtualDiskSize())
        .write();
  }

  /** What lies behind the end in a block that is here is nobody's yet. */
  private void zeroRestOfLastBlock(DiskParameters disk) throws IOException {
    BatGeometry geometry = BatGeometry.of(disk);
    long within = disk.virtualSize() & (geometry.blockSize() - 1);
    if (within == 0) {
      return;
    }
    long number = geometry.entryOf(geometry.blocks() - 1);
    BatEntry entry = new BatEntry(word(number));
    if (entry.state() == BatEntry.FULLY_PRESENT) {
      long place = image.tables().checked(entry, geometry.blockSize(), "payload block", number);
      zero(place + within, geometry.blockSize() - within);
      file.flush();
    }
  }

  private long word(long number) throws IOException {
    ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    file.readFully(word, image.structure().bat().offset() + number * Long.BYTES);
    return word.getLong(0);
  }

  private void zero(long offset, long length) throws IOException {
    if (file.zero(offset, length, image.isFixed())) {
      return;
    }
    ByteBuffer zeroes = ByteBuffer.allocate((int) Math.min(STEP, length));
    for (long done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), length - done));
      Zeroes.fill(zeroes);
      file.write(zeroes.flip(), offset + done);
    }
  }

  /**
   * The entries behind the end, which mean nothing yet: blocks that are zero, or of a fixed disk
   * space at the end of the file; no sector bitmaps.
   */
  private void fillEntries(BatGeometry before, BatGeometry after, DiskParameters disk)
      throws IOException {
    long first = before.entries(disk.parent().isPresent());
    if (disk.parent().isPresent() && before.blocks() > 0) {
      first = before.entryOf(before.blocks() - 1) + 1;
    }
    long last = after.entries(disk.parent().isPresent());
    boolean isFixed = disk.leavesBlocksAllocated();
    long place = (file.size() + FileRanges.MIB - 1) & -FileRanges.MIB;
    if (isFixed) {
      image.growTo(place + ((after.blocks() - before.blocks()) << after.blockBits()));
      file.flush();
    }
    MetadataUpdate update = new MetadataUpdate(image);
    int perSector = LogEntry.SECTOR / Long.BYTES;
    long kept = disk.parent().isPresent() ? before.chunks() : 0;
    for (long number = first; number < last; ) {
      int count = (int) Math.min(last - number, perSector - number % perSector);
      ByteBuffer words = ByteBuffer.allocate(count * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < count; i++, number++) {
        if (after.isBitmapEntry(number)) {
          boolean isOld = after.chunkOf(after.blockOf(number - 1)) < kept;
          words.putLong(isOld ? word(number) : 0);
        } else {
          words.putLong(isFixed ? place | BatEntry.FULLY_PRESENT : BatEntry.ZERO);
          place += isFixed ? after.blockSize() : 0;
        }
      }
      update.put(image.structure().bat().offset() + (number - count) * Long.BYTES, words.flip());
      update.writeIfLarge();
    }
    update.write();
  }

  /** Copies the table to the end of the file, and then names it there. */
  private void moveTable(long bytes) throws IOException {
    RegionTable.Region old = image.structure().bat();
    if (bytes > 0xffff_ffffL - FileRanges.MIB) {
      throw new UnsupportedImageException(file.name() + ": a BAT of " + bytes + " bytes");
    }
    long place = (file.size() + FileRanges.MIB - 1) & -FileRanges.MIB;
    if (place + bytes > file.capacity()) {
      throw new UnsupportedImageException(file.name() + ": no room for a larger BAT");
    }
    image.growTo(place + bytes);
    ByteBuffer piece = ByteBuffer.allocate(STEP);
    for (long at = 0; at < old.length(); at += piece.limit()) {
      piece.clear().limit((int) Math.min(STEP, old.length() - at));
      file.readPadded(piece, old.offset() + at);
      file.write(piece.flip(), place + at);
    }
    file.flush();
    RegionTable moved =
        image
            .structure()
            .regions()
            .with(new RegionTable.Region(RegionTable.BAT, place, bytes, true));
    new MetadataUpdate(image)
        .put(RegionTable.FIRST, moved.encode())
        .put(RegionTable.SECOND, moved.encode())
        .write();
    image.readStructureAgain();
  }
}
