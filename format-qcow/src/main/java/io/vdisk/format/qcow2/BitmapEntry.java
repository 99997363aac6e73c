package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * An entry of the bitmap directory: 24 bytes, big-endian, then extra data and name, padded to 8
 * bytes. Specification: "Bitmap directory".
 *
 * @param tableOffset where its table lies, cluster aligned
 * @param tableEntries clusters of the bitmap, at least 1
 * @param flags {@link #IN_USE}, {@link #AUTO}, {@link #EXTRA_DATA_COMPATIBLE}
 * @param granularityBits one bit stands for {@code 1 << granularityBits} bytes of the disk
 * @param name unique in the image
 * @param extra data of a meaning that nobody has defined yet; kept
 */
record BitmapEntry(
    long tableOffset,
    int tableEntries,
    int flags,
    int granularityBits,
    RawBytes name,
    RawBytes extra) {
  private static final Struct ENTRY = Struct.bigEndian("bitmap directory entry");
  private static final Struct.U64 TABLE_OFFSET = ENTRY.u64("bitmap_table_offset");
  private static final Struct.U32 TABLE_SIZE = ENTRY.u32("bitmap_table_size");
  private static final Struct.U32 FLAGS = ENTRY.u32("flags");
  private static final Struct.U8 TYPE = ENTRY.u8("type");
  private static final Struct.U8 GRANULARITY_BITS = ENTRY.u8("granularity_bits");
  private static final Struct.U16 NAME_SIZE = ENTRY.u16("name_size");
  private static final Struct.U32 EXTRA_DATA_SIZE = ENTRY.u32("extra_data_size");

  static {
    ENTRY.end(24);
  }

  /** Bytes of the part that every entry has. */
  static final int FIXED = 24;

  /** Where in an entry its flags are. */
  static final int FLAGS_OFFSET = FLAGS.offset();

  /** It was not saved, and what it says may be wrong. */
  static final int IN_USE = 1;

  /** Writes to the disk set its bits. */
  static final int AUTO = 1 << 1;

  /** Who does not understand the extra data may use the bitmap all the same. */
  static final int EXTRA_DATA_COMPATIBLE = 1 << 2;

  private static final int KNOWN_FLAGS = IN_USE | AUTO | EXTRA_DATA_COMPATIBLE;

  private static final int DIRTY_TRACKING = 1;

  static final int MIN_GRANULARITY_BITS = 9;

  /** 2 GiB: QEMU's limit. */
  static final int MAX_GRANULARITY_BITS = 31;

  /** Longest name, bytes: QEMU's limit. */
  static final int MAX_NAME = 1023;

  /** Most entries of a table: QEMU's limit. */
  static final int MAX_TABLE_ENTRIES = 0x800_0000;

  /** Largest bitmap, bytes: QEMU's limit, because it has bitmaps in memory. */
  static final long MAX_BYTES = 512L << 20;

  private static final int ALIGNMENT = 8;

  /** The layout of the fixed part, for the test against the specification. */
  static String describe() {
    return ENTRY.describe();
  }

  /**
   * Reads the entry at the position of {@code directory}, which moves to the next one.
   *
   * @param directoryOffset where the directory lies in the file, for messages
   */
  static BitmapEntry parse(
      ByteBuffer directory, HostFile file, Qcow2Header header, long directoryOffset)
      throws IOException {
    int base = directory.position();
    String where = file.name() + ": bitmap directory entry at " + (directoryOffset + base);
    if (directory.remaining() < FIXED) {
      throw new CorruptImageException(where + " is past the directory's end");
    }
    long extraBytes = EXTRA_DATA_SIZE.get(directory, base);
    int nameBytes = NAME_SIZE.get(directory, base);
    long size = aligned(FIXED + extraBytes + nameBytes);
    if (size > directory.remaining() || nameBytes == 0 || nameBytes > MAX_NAME) {
      throw new CorruptImageException(
          where
              + " has "
              + extraBytes
              + " bytes of extra data and a name of "
              + nameBytes
              + ", "
              + directory.remaining()
              + " are left of the directory");
    }
    if (TYPE.get(directory, base) != DIRTY_TRACKING) {
      throw new CorruptImageException(where + " is of type " + TYPE.get(directory, base));
    }
    byte[] extra = new byte[(int) extraBytes];
    byte[] name = new byte[nameBytes];
    directory.position(base + FIXED).get(extra).get(name).position(base + (int) size);
    long entries = TABLE_SIZE.get(directory, base);
    checkTable(TABLE_OFFSET.get(directory, base), entries, header, where);
    BitmapEntry entry =
        new BitmapEntry(
            TABLE_OFFSET.get(directory, base),
            (int) entries,
            (int) FLAGS.get(directory, base),
            GRANULARITY_BITS.get(directory, base),
            RawBytes.of(name),
            RawBytes.of(extra));
    entry.check(header, where);
    return entry;
  }

  private static void checkTable(long offset, long entries, Qcow2Header header, String where)
      throws CorruptImageException {
    if (offset <= 0
        || offset % header.clusterSize() != 0
        || entries == 0
        || entries > MAX_TABLE_ENTRIES
        || entries * header.clusterSize() > MAX_BYTES) {
      throw new CorruptImageException(
          where + " has a table of " + entries + " entries at " + Long.toUnsignedString(offset));
    }
  }

  private void check(Qcow2Header header, String where) throws CorruptImageException {
    if ((flags & ~KNOWN_FLAGS) != 0) {
      throw new CorruptImageException(where + " has flags " + Integer.toHexString(flags));
    }
    if (granularityBits < MIN_GRANULARITY_BITS || granularityBits > MAX_GRANULARITY_BITS) {
      throw new CorruptImageException(where + " has granularity_bits " + granularityBits);
    }
    // One that was not saved may be of before the disk was made larger.
    if (!has(IN_USE)
        && tableEntries
            < entriesNeeded(header.virtualSize, granularityBits, header.clusterSize())) {
      throw new CorruptImageException(
          where
              + " has a table of "
              + tableEntries
              + " entries, too few for "
              + header.virtualSize
              + " bytes");
    }
  }

  /** Clusters of a bitmap of this granularity for a disk of this size. */
  static long entriesNeeded(long virtualSize, int granularityBits, int clusterSize) {
    long bits =
        (virtualSize >>> granularityBits) + (virtualSize % (1L << granularityBits) == 0 ? 0 : 1);
    long perCluster = (long) clusterSize * Byte.SIZE;
    return bits / perCluster + (bits % perCluster == 0 ? 0 : 1);
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /** Whether what it says can be relied on, and may be by us. */
  boolean isUsable() {
    return !has(IN_USE) && (extra.size() == 0 || has(EXTRA_DATA_COMPATIBLE));
  }

  /** Bytes of its table. */
  long tableBytes() {
    return (long) tableEntries * Long.BYTES;
  }

  /** Bytes of the entry with its padding. */
  long encodedBytes() {
    return aligned((long) FIXED + extra.size() + name.size());
  }

  /** The same with other flags. */
  BitmapEntry withFlags(int newFlags) {
    return new BitmapEntry(tableOffset, tableEntries, newFlags, granularityBits, name, extra);
  }

  /** The same with another table. */
  BitmapEntry withTable(long offset, int entries) {
    return new BitmapEntry(offset, entries, flags, granularityBits, name, extra);
  }

  /** Writes it at the position of {@code target}, whose bytes there are zero. */
  void encode(ByteBuffer target) {
    int base = target.position();
    TABLE_OFFSET.put(target, base, tableOffset);
    TABLE_SIZE.put(target, base, tableEntries);
    FLAGS.put(target, base, flags);
    TYPE.put(target, base, DIRTY_TRACKING);
    GRANULARITY_BITS.put(target, base, granularityBits);
    NAME_SIZE.put(target, base, name.size());
    EXTRA_DATA_SIZE.put(target, base, extra.size());
    target.position(base + FIXED);
    extra.encode(target);
    name.encode(target);
    target.position(base + (int) encodedBytes());
  }

  /**
   * Reads its table, whose entries are well-formed then.
   *
   * @throws CorruptImageException if one is not, or the table is not in the file
   */
  long[] readTable(HostFile file, Qcow2Header header) throws IOException {
    if (tableOffset > file.size() - tableBytes()) {
      throw new CorruptImageException(
          file.name() + ": the table of bitmap " + name + " is past the end, at " + tableOffset);
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) tableBytes());
    file.readFully(bytes, tableOffset);
    long[] table = new long[tableEntries];
    bytes.flip().asLongBuffer().get(table);
    for (int i = 0; i < table.length; i++) {
      if (!new BitmapTableEntry(table[i]).isWellFormed(header.clusterSize())) {
        throw new CorruptImageException(
            file.name()
                + ": entry "
                + i
                + " of the table of bitmap "
                + name
                + " at "
                + tableOffset
                + " is "
                + Long.toHexString(table[i]));
      }
    }
    return table;
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
