package io.vdisk.format.vhdx;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * What the metadata items say of the disk. Source: [MS-VHDX] 2.6.2.
 *
 * @param blockSize bytes of a payload block: a power of two from 1 to 256 MiB
 * @param leavesBlocksAllocated a fixed disk: what has space keeps it
 * @param virtualSize bytes, a multiple of the logical sector
 * @param diskId stays the same in children
 * @param logicalSector 512 or 4,096
 * @param physicalSector 512 or 4,096
 * @param parent what a differencing disk lies over
 */
record DiskParameters(
    int blockSize,
    boolean leavesBlocksAllocated,
    long virtualSize,
    Guid diskId,
    int logicalSector,
    int physicalSector,
    Optional<ParentLocator> parent) {
  static final int MIN_BLOCK = 1 << 20;
  static final int MAX_BLOCK = 256 << 20;

  /** 64 TiB. Source: [MS-VHDX] 2.6.2.2. */
  static final long MAX_VIRTUAL_SIZE = 64L << 40;

  static final int LEAVE_BLOCK_ALLOCATED = 1;
  static final int HAS_PARENT = 2;

  /** Reads and checks all items. */
  static DiskParameters read(
      HostFile file, RegionTable.Region region, MetadataTable table, Limits limits)
      throws IOException {
    ByteBuffer parameters =
        table.require(file, region, MetadataTable.FILE_PARAMETERS, 8, "file parameters");
    int blockSize = parameters.getInt(0);
    int flags = parameters.getInt(4);
    long size =
        table
            .require(file, region, MetadataTable.VIRTUAL_DISK_SIZE, 8, "virtual disk size")
            .getLong(0);
    int logical = sector(file, region, table, MetadataTable.LOGICAL_SECTOR_SIZE, "logical sector");
    int physical =
        sector(file, region, table, MetadataTable.PHYSICAL_SECTOR_SIZE, "physical sector");
    byte[] id = new byte[Guid.BYTES];
    table.require(file, region, MetadataTable.VIRTUAL_DISK_ID, Guid.BYTES, "disk id").get(0, id);
    if (blockSize < MIN_BLOCK || blockSize > MAX_BLOCK || Integer.bitCount(blockSize) != 1) {
      throw new CorruptImageException(
          file.name() + ": the block size is " + Integer.toUnsignedString(blockSize));
    }
    if (size < 0 || size > MAX_VIRTUAL_SIZE || size % logical != 0) {
      throw new CorruptImageException(
          file.name() + ": the virtual disk size is " + Long.toUnsignedString(size));
    }
    limits.checkVirtualSize(size, file.name());
    Optional<ParentLocator> parent = Optional.empty();
    if ((flags & HAS_PARENT) != 0) {
      ByteBuffer locator =
          table.require(
              file,
              region,
              MetadataTable.PARENT_LOCATOR,
              ParentLocator.HEADER.size(),
              "parent locator");
      parent = Optional.of(ParentLocator.decode(locator, file.name()));
    }
    boolean leaves = parent.isEmpty() && (flags & LEAVE_BLOCK_ALLOCATED) != 0;
    return new DiskParameters(blockSize, leaves, size, Guid.of(id), logical, physical, parent);
  }

  private static int sector(
      HostFile file, RegionTable.Region region, MetadataTable table, Guid id, String what)
      throws IOException {
    int bytes = table.require(file, region, id, 4, what + " size").getInt(0);
    if (bytes != 512 && bytes != 4096) {
      throw new UnsupportedImageException(
          file.name() + ": the " + what + " size is " + Integer.toUnsignedString(bytes));
    }
    return bytes;
  }

  /** "fixed", "dynamic" or "differencing". */
  String subformat() {
    return parent.isPresent() ? "differencing" : leavesBlocksAllocated ? "fixed" : "dynamic";
  }

  DiskParameters withVirtualSize(long bytes) {
    return new DiskParameters(
        blockSize, leavesBlocksAllocated, bytes, diskId, logicalSector, physicalSector, parent);
  }

  DiskParameters withParent(Optional<ParentLocator> locator) {
    return new DiskParameters(
        blockSize,
        leavesBlocksAllocated,
        virtualSize,
        diskId,
        logicalSector,
        physicalSector,
        locator);
  }

  /** The bytes of the file parameters. */
  ByteBuffer fileParameters() {
    int flags =
        (leavesBlocksAllocated ? LEAVE_BLOCK_ALLOCATED : 0) | (parent.isPresent() ? HAS_PARENT : 0);
    return little(8).putInt(0, blockSize).putInt(4, flags);
  }

  /** The bytes of the virtual disk size. */
  ByteBuffer virtualDiskSize() {
    return little(8).putLong(0, virtualSize);
  }

  /** An item of one number of four bytes. */
  static ByteBuffer number(int value) {
    return little(4).putInt(0, value);
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
