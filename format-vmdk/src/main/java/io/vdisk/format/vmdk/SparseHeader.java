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
 * The header of a hosted sparse extent, and its footer where the grain directory lies at the end.
 * Little-endian, one sector. Source: Virtual Disk Format 5.0, "Hosted Sparse Extent Header".
 *
 * @param flags the bits {@link #NEWLINES} and following
 * @param capacity sectors of the extent
 * @param grainSectors sectors of a grain
 * @param descriptorOffset sector of the embedded descriptor; 0: there is none
 * @param tableEntries entries of a grain table
 * @param redundantDirectory sector of the redundant grain directory
 * @param directory sector of the grain directory; {@link #AT_END} if the footer says where
 * @param overhead sectors that metadata takes
 * @param unclean whether somebody is writing, or died writing
 * @param newlines the four bytes that a transfer as text would change
 * @param compression 0, or 1 for deflate
 */
record SparseHeader(
    long version,
    long flags,
    long capacity,
    long grainSectors,
    long descriptorOffset,
    long descriptorSectors,
    long tableEntries,
    long redundantDirectory,
    long directory,
    long overhead,
    boolean unclean,
    long newlines,
    int compression) {
  static final Struct STRUCT = Struct.littleEndian("SparseExtentHeader");
  static final Struct.U32 MAGIC_NUMBER = STRUCT.u32("magicNumber");
  static final Struct.U32 VERSION = STRUCT.u32("version");
  static final Struct.U32 FLAGS = STRUCT.u32("flags");
  static final Struct.U64 CAPACITY = STRUCT.u64("capacity");
  static final Struct.U64 GRAIN_SIZE = STRUCT.u64("grainSize");
  static final Struct.U64 DESCRIPTOR_OFFSET = STRUCT.u64("descriptorOffset");
  static final Struct.U64 DESCRIPTOR_SIZE = STRUCT.u64("descriptorSize");
  static final Struct.U32 NUM_GTES_PER_GT = STRUCT.u32("numGTEsPerGT");
  static final Struct.U64 RGD_OFFSET = STRUCT.u64("rgdOffset");
  static final Struct.U64 GD_OFFSET = STRUCT.u64("gdOffset");
  static final Struct.U64 OVERHEAD = STRUCT.u64("overHead");
  static final Struct.U8 UNCLEAN_SHUTDOWN = STRUCT.u8("uncleanShutdown");
  static final Struct.U32 END_LINE_CHARS = STRUCT.u32("endLineChars");
  static final Struct.U16 COMPRESS_ALGORITHM = STRUCT.u16("compressAlgorithm");

  static {
    STRUCT.bytes("pad", 433);
    STRUCT.end(512);
  }

  /** Bytes of a sector, in which the format counts. */
  static final int SECTOR = 512;

  /** 64 TiB: ESXi's largest disk has 62. */
  static final long MAX_SECTORS = 1L << 37;

  /** "KDMV". */
  static final long MAGIC = 0x564d_444bL;

  /** {@link #newlines} is to be looked at. */
  static final long NEWLINES = 1;

  /** There are two grain directories, each with grain tables of its own. */
  static final long REDUNDANT = 1 << 1;

  /** A grain table entry of 1 means zeroes; from version 2 on. */
  static final long ZEROED_GRAINS = 1 << 2;

  /** Grains are compressed. */
  static final long COMPRESSED = 1 << 16;

  /** Markers tell what follows. */
  static final long MARKERS = 1 << 17;

  /** The grain directory's sector is in the footer. */
  static final long AT_END = -1;

  /** "\n", " ", "\r\n". */
  static final long NEWLINE_BYTES = 0x0a0d_200aL;

  /** The version that has zeroed grains. */
  static final int VERSION_ZEROED = 2;

  /** Of compressed images, and of others that keep account of changed blocks. */
  static final int VERSION_STREAM = 3;

  /** Entries of a grain table in every image that VMware makes. */
  static final int TABLE_ENTRIES = 512;

  /** The most that is taken: a table of 16 KiB, as COWD has it. */
  private static final int MAX_TABLE_ENTRIES = 4096;

  static final int DEFLATE = 1;

  /** What QEMU takes, too; the specification wants more. */
  static final int MIN_GRAIN_SECTORS = 8;

  /** 2 MiB; VMware's largest has 64 KiB. */
  static final int MAX_GRAIN_SECTORS = 4096;

  /** Whether a file begins with a header. */
  static boolean isThere(ByteBuffer firstSector) {
    return firstSector.remaining() >= SECTOR && MAGIC_NUMBER.get(firstSector, 0) == MAGIC;
  }

  /** The sector at {@code offset} of a file. */
  static ByteBuffer sector(HostFile file, long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(SECTOR);
    try {
      file.readFully(bytes, offset);
    } catch (EOFException e) {
      throw new CorruptImageException(file.name() + ": it ends before its header does", e);
    }
    return bytes.flip();
  }

  /** Reads a header, or the footer that takes its place. */
  static SparseHeader read(HostFile file) throws IOException {
    SparseHeader header = decode(sector(file, 0), file);
    return header.directory == AT_END ? Footer.read(file) : header;
  }

  /** Reads what is in a sector, and checks it as far as it speaks for itself. */
  static SparseHeader decode(ByteBuffer bytes, HostFile file) throws IOException {
    return decode(bytes, file.name());
  }

  /** The same of a file that has a name alone. */
  static SparseHeader decode(ByteBuffer bytes, String file) throws IOException {
    if (MAGIC_NUMBER.get(bytes, 0) != MAGIC) {
      throw new CorruptImageException(file + ": sparse extent header without its magic");
    }
    SparseHeader header =
        new SparseHeader(
            VERSION.get(bytes, 0),
            FLAGS.get(bytes, 0),
            CAPACITY.get(bytes, 0),
            GRAIN_SIZE.get(bytes, 0),
            DESCRIPTOR_OFFSET.get(bytes, 0),
            DESCRIPTOR_SIZE.get(bytes, 0),
            NUM_GTES_PER_GT.get(bytes, 0),
            RGD_OFFSET.get(bytes, 0),
            GD_OFFSET.get(bytes, 0),
            OVERHEAD.get(bytes, 0),
            UNCLEAN_SHUTDOWN.get(bytes, 0) != 0,
            END_LINE_CHARS.get(bytes, 0),
            COMPRESS_ALGORITHM.get(bytes, 0));
    header.check(file);
    return header;
  }

  private void check(String file) throws IOException {
    if (version < 1 || version > VERSION_STREAM) {
      throw new UnsupportedImageException(
          file + ": version " + version + " of sparse extents is not known");
    }
    if (is(NEWLINES) && newlines != NEWLINE_BYTES) {
      throw new CorruptImageException(
          file + ": its line ends were changed, as by a transfer as text");
    }
    if (compression > DEFLATE) {
      throw new UnsupportedImageException(
          file + ": compressAlgorithm " + compression + " is not known");
    }
    if (capacity < 0 || capacity > MAX_SECTORS) {
      throw new CorruptImageException(
          file + ": capacity " + Long.toUnsignedString(capacity) + " is beyond 64 TiB");
    }
    checkPowerOfTwo(grainSectors, MIN_GRAIN_SECTORS, MAX_GRAIN_SECTORS, "grainSize", file);
    checkPowerOfTwo(tableEntries, 2, MAX_TABLE_ENTRIES, "numGTEsPerGT", file);
  }

  static void checkPowerOfTwo(long value, int least, int most, String field, String file)
      throws CorruptImageException {
    if (value < least || value > most || Long.bitCount(value) != 1) {
      throw new CorruptImageException(
          file + ": " + field + " " + Long.toUnsignedString(value) + " cannot be");
    }
  }

  boolean is(long flag) {
    return (flags & flag) != 0;
  }

  boolean isCompressed() {
    return is(COMPRESSED);
  }

  /** Whether an entry of 1 is a grain of zeroes. Some write the flag without the version. */
  boolean hasZeroedGrains() {
    return is(ZEROED_GRAINS);
  }

  /** How the tables lie, checked against the file. */
  GrainGeometry geometry(HostFile file, Limits limits) throws IOException {
    GrainGeometry geometry =
        new GrainGeometry(
            file,
            capacity * SECTOR,
            grainSectors * SECTOR,
            (int) tableEntries,
            place(directory, "gdOffset", file),
            is(REDUNDANT) ? place(redundantDirectory, "rgdOffset", file) : 0,
            hasZeroedGrains(),
            isCompressed(),
            descriptorEnd());
    geometry.check(limits);
    return geometry;
  }

  private static long place(long sector, String field, HostFile file) throws IOException {
    if (sector < 1 || sector > MAX_SECTORS) {
      throw new CorruptImageException(
          file.name() + ": " + field + " " + Long.toUnsignedString(sector) + " cannot be");
    }
    return sector * SECTOR;
  }

  private long descriptorEnd() {
    boolean isThere =
        descriptorOffset > 0
            && descriptorOffset < MAX_SECTORS
            && descriptorSectors > 0
            && descriptorSectors <= Descriptor.MAX_BYTES / SECTOR;
    return (isThere ? descriptorOffset + descriptorSectors : 1) * SECTOR;
  }

  /** The same, with the grain directory at a sector: a footer. */
  SparseHeader withDirectory(long sector) {
    return new SparseHeader(
        version,
        flags,
        capacity,
        grainSectors,
        descriptorOffset,
        descriptorSectors,
        tableEntries,
        redundantDirectory,
        sector,
        overhead,
        unclean,
        newlines,
        compression);
  }

  /** The sector. */
  ByteBuffer encode() {
    ByteBuffer bytes = ByteBuffer.allocate(SECTOR);
    MAGIC_NUMBER.put(bytes, 0, MAGIC);
    VERSION.put(bytes, 0, version);
    FLAGS.put(bytes, 0, flags);
    CAPACITY.put(bytes, 0, capacity);
    GRAIN_SIZE.put(bytes, 0, grainSectors);
    DESCRIPTOR_OFFSET.put(bytes, 0, descriptorOffset);
    DESCRIPTOR_SIZE.put(bytes, 0, descriptorSectors);
    NUM_GTES_PER_GT.put(bytes, 0, tableEntries);
    RGD_OFFSET.put(bytes, 0, redundantDirectory);
    GD_OFFSET.put(bytes, 0, directory);
    OVERHEAD.put(bytes, 0, overhead);
    UNCLEAN_SHUTDOWN.put(bytes, 0, unclean ? 1 : 0);
    END_LINE_CHARS.put(bytes, 0, newlines);
    COMPRESS_ALGORITHM.put(bytes, 0, compression);
    return bytes;
  }
}
