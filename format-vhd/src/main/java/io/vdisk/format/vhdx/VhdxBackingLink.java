package io.vdisk.format.vhdx;

import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import io.vdisk.spi.metadata.Slice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/** Another parent, or none: locator and file parameters change at once, through the log. */
final class VhdxBackingLink {
  private static final int STEP = 1 << 20;

  private final VhdxImage image;
  private final HostFile file;

  VhdxBackingLink(VhdxImage image) {
    this.image = image;
    this.file = image.file();
  }

  void change(Optional<String> name, Optional<String> format) throws IOException {
    if (name.isEmpty()) {
      remove();
      return;
    }
    if (format.isPresent() && !format.get().equals(VhdxFormat.NAME)) {
      throw new UnsupportedImageException(
          file.name() + ": a VHDX image lies over VHDX images alone, not over " + format.get());
    }
    write(ParentLocator.of(name.get(), linkage(name.get())));
  }

  /** The parent's {@code DataWriteGuid}: the policy gives the file. */
  private Guid linkage(String name) throws IOException {
    Reference reference =
        new Reference(Reference.Kind.BACKING, name, Optional.of(VhdxFormat.NAME), file, false);
    try (HostFile parent = image.references().open(reference)) {
      if (parent.key().equals(file.key())) {
        throw new UnsupportedImageException(file.name() + ": it cannot be its own parent");
      }
      if (!FileIdentifier.isThere(parent)) {
        throw new UnsupportedImageException(
            file.name() + ": a VHDX image lies over VHDX images alone, " + name + " is none");
      }
      return HeaderPair.read(parent).current().dataWriteGuid();
    }
  }

  /** Makes the disk a differencing one over this parent. */
  void write(ParentLocator locator) throws IOException {
    DiskParameters disk = image.structure().disk();
    DiskParameters child = disk.withParent(Optional.of(locator));
    long entries = BatGeometry.of(child).entries(true);
    if (entries * Long.BYTES > image.structure().bat().length()) {
      throw new UnsupportedImageException(
          file.name() + ": its BAT has no room for the sector bitmaps of a child");
    }
    image.beforeChange();
    MetadataUpdate update = new MetadataUpdate(image);
    if (disk.parent().isEmpty()) {
      clearEnd(child, update);
    }
    MetadataTable table = image.structure().metadata();
    update
        .replace(MetadataTable.FILE_PARAMETERS, child.fileParameters())
        .add(
            table,
            MetadataTable.PARENT_LOCATOR,
            ByteBuffer.wrap(locator.encode()),
            MetadataTable.IS_REQUIRED)
        .write();
  }

  /**
   * A child's table is longer: behind the last block come the entries of blocks that fill the last
   * chunk up, and that of its sector bitmap. What stands there meant nothing so far.
   */
  private void clearEnd(DiskParameters child, MetadataUpdate update) throws IOException {
    BatGeometry geometry = BatGeometry.of(child);
    ByteBuffer none = ByteBuffer.allocate(Long.BYTES);
    for (long number = geometry.entries(false); number < geometry.entries(true); number++) {
      update.put(image.structure().bat().offset() + number * Long.BYTES, none.clear());
      update.writeIfLarge();
    }
    update.write();
  }

  /**
   * Makes the disk stand alone. A block that is partially present becomes fully present first: what
   * its parent had is zero, as for all that the disk does not hold.
   */
  private void remove() throws IOException {
    VhdxStructure structure = image.structure();
    if (structure.disk().parent().isEmpty()) {
      return;
    }
    image.beforeChange();
    BatGeometry geometry = BatGeometry.of(structure.disk());
    MetadataUpdate update = new MetadataUpdate(image);
    ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    BatScan.scan(
        file,
        structure,
        (number, entry) -> {
          if (!geometry.isBitmapEntry(number) && entry.isPartial()) {
            fill(geometry, geometry.blockOf(number), entry);
            BatEntry full = BatEntry.at(entry.offset(), BatEntry.FULLY_PRESENT);
            update.put(structure.bat().offset() + number * Long.BYTES, word.putLong(0, full.raw()));
            if (update.isLarge()) {
              file.flush();
              update.write();
            }
          }
          return true;
        });
    file.flush();
    update.write();
    // Now no bitmap is looked at.
    BatScan.scan(
        file,
        structure,
        (number, entry) -> {
          if (geometry.isBitmapEntry(number)) {
            update.put(structure.bat().offset() + number * Long.BYTES, word.putLong(0, 0));
            update.writeIfLarge();
          }
          return true;
        });
    DiskParameters alone = structure.disk().withParent(Optional.empty());
    update.write();
    update
        .replace(MetadataTable.FILE_PARAMETERS, alone.fileParameters())
        .table(structure.metadata().without(MetadataTable.PARENT_LOCATOR))
        .write();
  }

  /** Zeroes the sectors of a block that are the parent's. */
  private void fill(BatGeometry geometry, long block, BatEntry entry) throws IOException {
    BlockTables tables = image.tables();
    long place = tables.checked(entry, geometry.blockSize(), "payload block", block);
    long first = geometry.firstBit(block);
    long sectors = geometry.sectorsOfBlock();
    for (long bit = 0; bit < sectors; ) {
      Slice slice = tables.bitmap(first + bit);
      int index = (int) ((first + bit) % BlockTables.BITS);
      boolean isHere = SectorBits.isSet(slice, index);
      long end = Math.min(sectors, bit + SectorBits.endOfRun(slice, index, isHere) - index);
      if (!isHere) {
        zero(place + (bit << geometry.sectorBits()), (end - bit) << geometry.sectorBits());
      }
      bit = end;
    }
  }

  private void zero(long offset, long length) throws IOException {
    if (file.zero(offset, length, false)) {
      return;
    }
    ByteBuffer zeroes = ByteBuffer.allocate((int) Math.min(STEP, length));
    for (long done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), length - done));
      Zeroes.fill(zeroes);
      file.write(zeroes.flip(), offset + done);
    }
  }
}
