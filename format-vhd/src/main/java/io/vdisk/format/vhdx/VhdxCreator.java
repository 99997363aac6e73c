package io.vdisk.format.vhdx;

import io.vdisk.CreateOptions;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.NoSpaceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Optional;

/**
 * Makes an image: header section, log, metadata, block allocation table, and the blocks of a fixed
 * disk. The file type identifier comes last. For the options see {@link VhdxOption}.
 */
final class VhdxCreator {
  private static final String CREATOR = "vdisk";
  private static final int STEP = 1 << 20;

  private final HostFile file;
  private final DiskParameters disk;
  private final BatGeometry geometry;
  private final long logSize;
  private final boolean isStateZero;
  private final String preallocation;
  private final long metadataOffset;
  private final long batOffset;
  private final long batBytes;
  private final long blocksOffset;

  private VhdxCreator(
      HostFile file, DiskParameters disk, long logSize, boolean isStateZero, String preallocation) {
    this.file = file;
    this.disk = disk;
    this.geometry = BatGeometry.of(disk);
    this.logSize = logSize;
    this.isStateZero = isStateZero;
    this.preallocation = preallocation;
    this.metadataOffset = FileRanges.HEADER_SECTION + logSize;
    this.batOffset = metadataOffset + FileRanges.MIB;
    this.batBytes = BatGeometry.regionBytes(geometry.entries(disk.parent().isPresent()));
    this.blocksOffset = batOffset + batBytes;
  }

  /** Makes an image in an empty file, or over what a block device held. */
  static void create(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    Optional<ImageInfo> parent = parent(file, options, context);
    boolean isChild = options.backingName().isPresent();
    VhdxOptions own = new VhdxOptions(options.options(), isChild);
    long wanted =
        options
            .virtualSize()
            .or(() -> parent.map(ImageInfo::virtualSize))
            .orElseThrow(() -> new IllegalArgumentException("a vhdx image needs a size"));
    int logical = own.sectorSize(VhdxOption.LOGICAL_SECTOR_SIZE, sector(parent, true));
    long size = Math.addExact(wanted, logical - 1) & -logical;
    boolean isFixed = own.isFixed();
    DiskParameters disk =
        new DiskParameters(
            own.blockSize(size),
            isFixed,
            size,
            parent.flatMap(VhdxCreator::diskId).orElseGet(Guid::random),
            logical,
            own.sectorSize(VhdxOption.PHYSICAL_SECTOR_SIZE, sector(parent, false)),
            options.backingName().map(name -> ParentLocator.of(name, linkage(parent))));
    VhdxCreator creator =
        new VhdxCreator(file, disk, own.logSize(), own.isStateZero(), own.preallocation(isFixed));
    own.end();
    if (parent.isPresent() && sector(parent, true) != logical) {
      throw new UnsupportedImageException(
          file.name() + ": the parent has logical sectors of " + sector(parent, true));
    }
    if (size > DiskParameters.MAX_VIRTUAL_SIZE) {
      throw new UnsupportedImageException(
          file.name() + ": a VHDX disk has at most 64 TiB, not " + size + " bytes");
    }
    context.limits().checkVirtualSize(size, file.name());
    context.limits().checkTable("BAT", creator.batBytes, file.name());
    creator.write(options);
  }

  /** What the parent says of itself; empty if there is none, or it is not to be looked at. */
  private static Optional<ImageInfo> parent(
      HostFile file, CreateOptions options, CreateContext context) throws IOException {
    Optional<String> format = options.backingFormat();
    if (options.backingName().isEmpty()) {
      return Optional.empty();
    }
    if (format.isPresent() && !format.get().equals(VhdxFormat.NAME)) {
      throw new UnsupportedImageException(
          file.name() + ": a VHDX image lies over VHDX images alone, not over " + format.get());
    }
    if (options.isWithoutOpeningBacking()) {
      return Optional.empty();
    }
    ImageInfo info =
        context.backingInfo(
            new Reference(
                Reference.Kind.BACKING, options.backingName().get(), format, file, false));
    if (!info.format().equals(VhdxFormat.NAME)) {
      throw new UnsupportedImageException(
          file.name() + ": a VHDX image lies over VHDX images alone, not over " + info.format());
    }
    return Optional.of(info);
  }

  private static int sector(Optional<ImageInfo> parent, boolean logical) {
    String detail = logical ? VhdxDescription.LOGICAL_SECTOR : VhdxDescription.PHYSICAL_SECTOR;
    return parent
        .map(info -> info.details().get(detail))
        .map(value -> (Integer) value)
        .orElse(logical ? 512 : 4096);
  }

  private static Optional<Guid> diskId(ImageInfo parent) {
    return Optional.ofNullable(parent.details().get(VhdxDescription.DISK_ID))
        .map(id -> Guid.of(id.toString()));
  }

  /**
   * Nil where the parent is not to be looked at: then the link must be changed before it is used.
   */
  private static Guid linkage(Optional<ImageInfo> parent) {
    return parent
        .map(info -> info.details().get(VhdxDescription.DATA_WRITE_GUID))
        .map(guid -> Guid.of(guid.toString()))
        .orElse(Guid.NIL);
  }

  private void write(CreateOptions options) throws IOException {
    long blocks = geometry.blocks() << geometry.blockBits();
    long end = blocksOffset + (disk.leavesBlocksAllocated() ? blocks : 0);
    boolean isEmpty = file.size() == 0;
    if (isEmpty) {
      file.resize(end);
    } else if (end > file.size()) {
      throw new NoSpaceException(file.name() + " has no room for " + end + " bytes");
    }
    if (disk.leavesBlocksAllocated()) {
      prepareBlocks(blocks, isEmpty);
    }
    writeBat(isEmpty);
    writeMetadata();
    writeRegions();
    HeaderPair.ofNew(
            file,
            new VhdxHeader(
                0,
                Guid.random(),
                Guid.random(),
                Guid.NIL,
                0,
                VhdxHeader.ONLY_VERSION,
                logSize,
                FileRanges.HEADER_SECTION))
        .writeBoth();
    if (options.isDurable()) {
      file.flush();
    }
    new FileIdentifier(CREATOR).write(file);
  }

  private void prepareBlocks(long blocks, boolean isEmpty) throws IOException {
    boolean isFull = preallocation.equals("full");
    if (isFull || (!isEmpty && !file.zero(blocksOffset, blocks, true))) {
      writeZeroes(blocksOffset, blocks);
    } else if (preallocation.equals("falloc") && blocks > 0) {
      if (!file.allocate(blocksOffset, blocks)) {
        throw new UnsupportedImageException(
            file.name() + ": its host cannot reserve space; preallocation=full can");
      }
    }
  }

  private void writeZeroes(long offset, long length) throws IOException {
    ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(STEP, Math.max(1, length)));
    Zeroes.fill(zeroes);
    for (long done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), length - done));
      file.write(zeroes, offset + done);
    }
  }

  private void writeBat(boolean isEmpty) throws IOException {
    boolean isFilled = disk.leavesBlocksAllocated() || isStateZero;
    if (!isFilled && isEmpty) {
      return; // it is zero: no block is present
    }
    long entries = isFilled ? geometry.entries(false) : 0;
    ByteBuffer bytes = ByteBuffer.allocate(STEP).order(ByteOrder.LITTLE_ENDIAN);
    long number = 0;
    for (long at = 0; at < batBytes; at += STEP) {
      bytes.clear();
      while (bytes.hasRemaining()) {
        bytes.putLong(number < entries ? entry(number) : 0);
        number++;
      }
      if (isEmpty) {
        // What is zero there needs no space on the host.
        bytes.position((int) Math.min(STEP, Math.max(0, entries * Long.BYTES - at)));
      }
      file.write(bytes.flip(), batOffset + at);
    }
  }

  private long entry(long number) {
    if (geometry.isBitmapEntry(number)) {
      return 0;
    }
    long block = geometry.blockOf(number);
    long offset = blocksOffset + (block << geometry.blockBits());
    return disk.leavesBlocksAllocated() ? offset | BatEntry.FULLY_PRESENT : BatEntry.ZERO;
  }

  private void writeMetadata() throws IOException {
    ItemWriter items = new ItemWriter();
    long required = MetadataTable.IS_REQUIRED;
    long ofDisk = required | MetadataTable.IS_VIRTUAL_DISK;
    items.add(MetadataTable.FILE_PARAMETERS, disk.fileParameters(), required);
    items.add(MetadataTable.VIRTUAL_DISK_SIZE, disk.virtualDiskSize(), ofDisk);
    items.add(MetadataTable.VIRTUAL_DISK_ID, ByteBuffer.wrap(disk.diskId().bytes()), ofDisk);
    items.add(
        MetadataTable.LOGICAL_SECTOR_SIZE, DiskParameters.number(disk.logicalSector()), ofDisk);
    items.add(
        MetadataTable.PHYSICAL_SECTOR_SIZE, DiskParameters.number(disk.physicalSector()), ofDisk);
    if (disk.parent().isPresent()) {
      items.add(
          MetadataTable.PARENT_LOCATOR, ByteBuffer.wrap(disk.parent().get().encode()), required);
    }
    file.write(items.table.encode(), metadataOffset);
  }

  /** Puts items behind the table, one after another. */
  private final class ItemWriter {
    private MetadataTable table = new MetadataTable(java.util.List.of());

    void add(Guid id, ByteBuffer value, long flags) throws IOException {
      long offset = table.end(8);
      table = table.with(new MetadataTable.Item(id, offset, value.remaining(), flags));
      file.write(value, metadataOffset + offset);
    }
  }

  private void writeRegions() throws IOException {
    RegionTable table =
        new RegionTable(
            java.util.List.of(
                new RegionTable.Region(RegionTable.BAT, batOffset, batBytes, true),
                new RegionTable.Region(RegionTable.METADATA, metadataOffset, FileRanges.MIB, true)),
            java.util.List.of());
    file.write(table.encode(), RegionTable.FIRST);
    file.write(table.encode(), RegionTable.SECOND);
  }

  /** Bytes of a file with so many blocks. */
  static long fileBytes(Map<String, String> options, boolean isChild, long size, long blocks) {
    VhdxOptions own = new VhdxOptions(options, isChild);
    BatGeometry geometry =
        new BatGeometry(
            size,
            Integer.numberOfTrailingZeros(own.blockSize(size)),
            Integer.numberOfTrailingZeros(own.sectorSize(VhdxOption.LOGICAL_SECTOR_SIZE, 512)));
    long bitmaps = isChild && blocks > 0 ? geometry.chunks() << 20 : 0;
    return FileRanges.HEADER_SECTION
        + own.logSize()
        + FileRanges.MIB
        + BatGeometry.regionBytes(geometry.entries(isChild))
        + bitmaps
        + (blocks << geometry.blockBits());
  }
}
