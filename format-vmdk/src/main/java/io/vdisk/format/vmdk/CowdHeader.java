package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The header of a COWD file, ESX's delta disks. Little-endian, four sectors. Source: Virtual Disk
 * Format 5.0, "ESX Server Sparse Extent Header".
 *
 * @param sectors of the extent
 * @param grainSectors sectors of a grain
 * @param directory sector of the grain directory
 * @param directoryEntries its entries
 * @param freeSector the first sector that nothing uses
 * @param unclean whether somebody is writing, or died writing
 */
record CowdHeader(
    long sectors,
    long grainSectors,
    long directory,
    long directoryEntries,
    long freeSector,
    boolean unclean) {
  static final Struct STRUCT = Struct.littleEndian("COWDisk_Header");
  static final Struct.U32 MAGIC_NUMBER = STRUCT.u32("magicNumber");
  static final Struct.U32 VERSION = STRUCT.u32("version");
  static final Struct.U32 FLAGS = STRUCT.u32("flags");
  static final Struct.U32 NUM_SECTORS = STRUCT.u32("numSectors");
  static final Struct.U32 GRAIN_SIZE = STRUCT.u32("grainSize");
  static final Struct.U32 GD_OFFSET = STRUCT.u32("gdOffset");
  static final Struct.U32 NUM_GD_ENTRIES = STRUCT.u32("numGDEntries");
  static final Struct.U32 FREE_SECTOR = STRUCT.u32("freeSector");
  static final Struct.Bytes PARENT_OR_ROOT = STRUCT.bytes("u", 1028);
  static final Struct.U32 GENERATION = STRUCT.u32("generation");
  static final Struct.Bytes NAME = STRUCT.bytes("name", 60);
  static final Struct.Bytes DESCRIPTION = STRUCT.bytes("description", 512);
  static final Struct.U32 SAVED_GENERATION = STRUCT.u32("savedGeneration");

  static {
    STRUCT.bytes("reserved", 8);
  }

  static final Struct.U32 UNCLEAN_SHUTDOWN = STRUCT.u32("uncleanShutdown");

  static {
    STRUCT.bytes("padding", 396);
    STRUCT.end(2048);
  }

  /** "COWD". */
  static final long MAGIC = 0x4457_4f43L;

  static final int ONLY_VERSION = 1;

  /** What the specification has in {@link #FLAGS}. */
  static final int FLAGS_VALUE = 3;

  /** Entries of a grain table. */
  static final int TABLE_ENTRIES = 4096;

  static boolean isThere(ByteBuffer firstSector) {
    return firstSector.remaining() >= SparseHeader.SECTOR
        && MAGIC_NUMBER.get(firstSector, 0) == MAGIC;
  }

  static CowdHeader read(HostFile file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(STRUCT.size());
    try {
      file.readFully(bytes, 0);
    } catch (EOFException e) {
      throw new CorruptImageException(file.name() + ": it ends before its header does", e);
    }
    if (MAGIC_NUMBER.get(bytes, 0) != MAGIC) {
      throw new CorruptImageException(file.name() + ": COWD header without its magic");
    }
    if (VERSION.get(bytes, 0) != ONLY_VERSION) {
      throw new UnsupportedImageException(
          file.name() + ": version " + VERSION.get(bytes, 0) + " of COWD is not known");
    }
    CowdHeader header =
        new CowdHeader(
            NUM_SECTORS.get(bytes, 0),
            GRAIN_SIZE.get(bytes, 0),
            GD_OFFSET.get(bytes, 0),
            NUM_GD_ENTRIES.get(bytes, 0),
            FREE_SECTOR.get(bytes, 0),
            UNCLEAN_SHUTDOWN.get(bytes, 0) != 0);
    SparseHeader.checkPowerOfTwo(
        header.grainSectors, 1, SparseHeader.MAX_GRAIN_SECTORS, "grainSize", file.name());
    return header;
  }

  /** How the tables lie, checked against the file. */
  GrainGeometry geometry(HostFile file, Limits limits) throws IOException {
    GrainGeometry geometry =
        new GrainGeometry(
            file,
            sectors * SparseHeader.SECTOR,
            grainSectors * SparseHeader.SECTOR,
            TABLE_ENTRIES,
            directory * SparseHeader.SECTOR,
            0,
            false,
            false,
            STRUCT.size());
    if (directoryEntries < geometry.tables() || geometry.directory() < STRUCT.size()) {
      throw new CorruptImageException(
          String.format(
              "%s: a grain directory of %d entries at sector %d, %d are needed",
              file.name(), directoryEntries, directory, geometry.tables()));
    }
    geometry.check(limits);
    return geometry;
  }

  /** The header of a new file. */
  ByteBuffer encode() {
    ByteBuffer bytes = ByteBuffer.allocate(STRUCT.size());
    MAGIC_NUMBER.put(bytes, 0, MAGIC);
    VERSION.put(bytes, 0, ONLY_VERSION);
    FLAGS.put(bytes, 0, FLAGS_VALUE);
    NUM_SECTORS.put(bytes, 0, sectors);
    GRAIN_SIZE.put(bytes, 0, grainSectors);
    GD_OFFSET.put(bytes, 0, directory);
    NUM_GD_ENTRIES.put(bytes, 0, directoryEntries);
    FREE_SECTOR.put(bytes, 0, freeSector);
    UNCLEAN_SHUTDOWN.put(bytes, 0, unclean ? 1 : 0);
    return bytes;
  }
}
