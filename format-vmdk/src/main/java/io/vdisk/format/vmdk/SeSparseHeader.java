package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The constant header of an seSparse file, ESXi's delta disks from version 6.5 on; its volatile
 * header is one sector elsewhere. Little-endian, one sector; all places and sizes in sectors. No
 * specification is public; source: what QEMU's driver reads, from which only facts were taken.
 *
 * @param volatileHeader sector of the volatile header
 * @param directory sector of the grain directory
 * @param directorySectors its size
 * @param tables sector where all grain tables lie one after another
 * @param grains sector where the grains begin
 */
record SeSparseHeader(
    long capacity,
    long grainSectors,
    long volatileHeader,
    long directory,
    long directorySectors,
    long tables,
    long tablesSectors,
    long grains,
    long grainsSectors) {
  static final Struct STRUCT = Struct.littleEndian("SESparseConstHeader");
  static final Struct.U64 MAGIC_NUMBER = STRUCT.u64("magic");
  static final Struct.U64 VERSION = STRUCT.u64("version");
  static final Struct.U64 CAPACITY = STRUCT.u64("capacity");
  static final Struct.U64 GRAIN_SIZE = STRUCT.u64("grain_size");
  static final Struct.U64 GRAIN_TABLE_SIZE = STRUCT.u64("grain_table_size");
  static final Struct.U64 FLAGS = STRUCT.u64("flags");

  static {
    STRUCT.bytes("reserved", 32);
  }

  static final Struct.U64 VOLATILE_HEADER_OFFSET = STRUCT.u64("volatile_header_offset");
  static final Struct.U64 VOLATILE_HEADER_SIZE = STRUCT.u64("volatile_header_size");
  static final Struct.U64 JOURNAL_HEADER_OFFSET = STRUCT.u64("journal_header_offset");
  static final Struct.U64 JOURNAL_HEADER_SIZE = STRUCT.u64("journal_header_size");
  static final Struct.U64 JOURNAL_OFFSET = STRUCT.u64("journal_offset");
  static final Struct.U64 JOURNAL_SIZE = STRUCT.u64("journal_size");
  static final Struct.U64 GRAIN_DIR_OFFSET = STRUCT.u64("grain_dir_offset");
  static final Struct.U64 GRAIN_DIR_SIZE = STRUCT.u64("grain_dir_size");
  static final Struct.U64 GRAIN_TABLES_OFFSET = STRUCT.u64("grain_tables_offset");
  static final Struct.U64 GRAIN_TABLES_SIZE = STRUCT.u64("grain_tables_size");
  static final Struct.U64 FREE_BITMAP_OFFSET = STRUCT.u64("free_bitmap_offset");
  static final Struct.U64 FREE_BITMAP_SIZE = STRUCT.u64("free_bitmap_size");
  static final Struct.U64 BACKMAP_OFFSET = STRUCT.u64("backmap_offset");
  static final Struct.U64 BACKMAP_SIZE = STRUCT.u64("backmap_size");
  static final Struct.U64 GRAINS_OFFSET = STRUCT.u64("grains_offset");
  static final Struct.U64 GRAINS_SIZE = STRUCT.u64("grains_size");

  static {
    STRUCT.bytes("pad", 304);
    STRUCT.end(512);
  }

  /** The volatile header. */
  static final Struct VOLATILE = Struct.littleEndian("SESparseVolatileHeader");

  static final Struct.U64 VOLATILE_MAGIC = VOLATILE.u64("magic");
  static final Struct.U64 FREE_GT_NUMBER = VOLATILE.u64("free_gt_number");
  static final Struct.U64 NEXT_TXN_SEQ_NUMBER = VOLATILE.u64("next_txn_seq_number");
  static final Struct.U64 REPLAY_JOURNAL = VOLATILE.u64("replay_journal");

  static {
    VOLATILE.bytes("pad", 480);
    VOLATILE.end(512);
  }

  static final long MAGIC = 0xcafe_babeL;
  static final long VOLATILE_MAGIC_VALUE = 0xcafe_cafeL;

  /** Version 2.1, the only one that was seen. */
  static final long ONLY_VERSION = 0x2_0000_0001L;

  /** Sectors of a grain, and of a grain table: the only ones that were seen. */
  static final int ONLY_GRAIN = 8;

  static final int ONLY_TABLE = 64;

  static boolean isThere(ByteBuffer firstSector) {
    return firstSector.remaining() >= SparseHeader.SECTOR
        && MAGIC_NUMBER.get(firstSector, 0) == MAGIC;
  }

  static SeSparseHeader read(HostFile file) throws IOException {
    ByteBuffer bytes = SparseHeader.sector(file, 0);
    if (MAGIC_NUMBER.get(bytes, 0) != MAGIC) {
      throw new CorruptImageException(file.name() + ": seSparse header without its magic");
    }
    require(file, VERSION.get(bytes, 0), ONLY_VERSION, VERSION);
    require(file, GRAIN_SIZE.get(bytes, 0), ONLY_GRAIN, GRAIN_SIZE);
    require(file, GRAIN_TABLE_SIZE.get(bytes, 0), ONLY_TABLE, GRAIN_TABLE_SIZE);
    require(file, FLAGS.get(bytes, 0), 0, FLAGS);
    SeSparseHeader header =
        new SeSparseHeader(
            sectors(file, bytes, CAPACITY),
            ONLY_GRAIN,
            sectors(file, bytes, VOLATILE_HEADER_OFFSET),
            sectors(file, bytes, GRAIN_DIR_OFFSET),
            sectors(file, bytes, GRAIN_DIR_SIZE),
            sectors(file, bytes, GRAIN_TABLES_OFFSET),
            sectors(file, bytes, GRAIN_TABLES_SIZE),
            sectors(file, bytes, GRAINS_OFFSET),
            sectors(file, bytes, GRAINS_SIZE));
    header.checkVolatile(file);
    return header;
  }

  private static void require(HostFile file, long value, long only, Struct.Field field)
      throws UnsupportedImageException {
    if (value != only) {
      throw new UnsupportedImageException(
          String.format("%s: seSparse %s %#x is not known", file.name(), field.name(), value));
    }
  }

  private static long sectors(HostFile file, ByteBuffer bytes, Struct.U64 field)
      throws CorruptImageException {
    long value = field.get(bytes, 0);
    if (value < 0 || value > SparseHeader.MAX_SECTORS) {
      throw new CorruptImageException(
          file.name() + ": " + field.name() + " " + Long.toUnsignedString(value) + " cannot be");
    }
    return value;
  }

  private void checkVolatile(HostFile file) throws IOException {
    ByteBuffer bytes = SparseHeader.sector(file, volatileHeader * SparseHeader.SECTOR);
    if (VOLATILE_MAGIC.get(bytes, 0) != VOLATILE_MAGIC_VALUE) {
      throw new CorruptImageException(file.name() + ": seSparse volatile header without its magic");
    }
    if (REPLAY_JOURNAL.get(bytes, 0) != 0) {
      throw new UnsupportedImageException(
          file.name() + ": the journal of an seSparse file must be replayed first, by ESXi");
    }
  }
}
