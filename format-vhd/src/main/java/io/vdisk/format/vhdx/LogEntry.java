package io.vdisk.format.vhdx;

import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * An entry of the log: sectors of 4 KiB, first those with a header and descriptors, then one for
 * each update of 4 KiB whose first eight and last four bytes are in its descriptor. Little-endian.
 * Source: [MS-VHDX] 2.3.1.
 */
final class LogEntry {
  static final int SECTOR = 4096;

  static final Struct HEADER = Struct.littleEndian("VHDX log entry header");
  static final Struct.U32 SIGNATURE = HEADER.u32("Signature"); // "loge"
  static final Struct.U32 CHECKSUM = HEADER.u32("Checksum");
  static final Struct.U32 ENTRY_LENGTH = HEADER.u32("EntryLength");
  static final Struct.U32 TAIL = HEADER.u32("Tail");
  static final Struct.U64 SEQUENCE_NUMBER = HEADER.u64("SequenceNumber");
  static final Struct.U32 DESCRIPTOR_COUNT = HEADER.u32("DescriptorCount");
  private static final Struct.U32 RESERVED = HEADER.u32("Reserved");
  static final Struct.Bytes LOG_GUID = HEADER.bytes("LogGuid", Guid.BYTES);
  static final Struct.U64 FLUSHED_FILE_OFFSET = HEADER.u64("FlushedFileOffset");
  static final Struct.U64 LAST_FILE_OFFSET = HEADER.u64("LastFileOffset");

  static {
    HEADER.end(64);
  }

  static final Struct ZERO = Struct.littleEndian("VHDX log zero descriptor");
  static final Struct.U32 ZERO_SIGNATURE = ZERO.u32("ZeroSignature"); // "zero"

  static {
    ZERO.u32("Reserved");
  }

  static final Struct.U64 ZERO_LENGTH = ZERO.u64("ZeroLength");
  static final Struct.U64 ZERO_FILE_OFFSET = ZERO.u64("FileOffset");
  static final Struct.U64 ZERO_SEQUENCE = ZERO.u64("SequenceNumber");

  static {
    ZERO.end(32);
  }

  static final Struct DATA = Struct.littleEndian("VHDX log data descriptor");
  static final Struct.U32 DATA_SIGNATURE = DATA.u32("DataSignature"); // "desc"
  static final Struct.U32 TRAILING_BYTES = DATA.u32("TrailingBytes");
  static final Struct.U64 LEADING_BYTES = DATA.u64("LeadingBytes");
  static final Struct.U64 DATA_FILE_OFFSET = DATA.u64("FileOffset");
  static final Struct.U64 DATA_SEQUENCE = DATA.u64("SequenceNumber");

  static {
    DATA.end(32);
  }

  static final Struct DATA_SECTOR = Struct.littleEndian("VHDX log data sector");
  static final Struct.U32 SECTOR_SIGNATURE = DATA_SECTOR.u32("DataSignature"); // "data"
  static final Struct.U32 SEQUENCE_HIGH = DATA_SECTOR.u32("SequenceHigh");
  static final Struct.Bytes SECTOR_DATA = DATA_SECTOR.bytes("Data", 4084);
  static final Struct.U32 SEQUENCE_LOW = DATA_SECTOR.u32("SequenceLow");

  static {
    DATA_SECTOR.end(SECTOR);
  }

  static final long ENTRY_SIGNATURE = 0x6567_6f6cL; // "loge"
  static final long ZERO_DESCRIPTOR = 0x6f72_657aL; // "zero"
  static final long DATA_DESCRIPTOR = 0x6373_6564L; // "desc"
  static final long DATA_SECTOR_SIGNATURE = 0x6174_6164L; // "data"

  private LogEntry() {}

  /**
   * What is to be written at a place.
   *
   * @param offset in the file, a multiple of 4 KiB
   * @param bytes 4 KiB
   */
  record Update(long offset, ByteBuffer bytes) {}

  /** Sectors of header and descriptors. */
  static long descriptorSectors(long descriptors) {
    return (HEADER.size() + descriptors * DATA.size() + SECTOR - 1) / SECTOR;
  }

  /** Where the {@code i}-th descriptor begins in the entry. */
  static int descriptor(int i) {
    return HEADER.size() + i * DATA.size();
  }

  /**
   * An entry that is a sequence by itself.
   *
   * @param position where in the log it will lie
   * @param flushed bytes of the file that a power cut cannot take
   * @param last bytes of the file that hold all that is used
   */
  static ByteBuffer encode(
      List<Update> updates, Guid log, long sequence, long position, long flushed, long last) {
    int heads = (int) descriptorSectors(updates.size());
    ByteBuffer entry = ByteBuffer.allocate((heads + updates.size()) * SECTOR);
    SIGNATURE.put(entry, 0, ENTRY_SIGNATURE);
    ENTRY_LENGTH.put(entry, 0, entry.capacity());
    TAIL.put(entry, 0, position);
    SEQUENCE_NUMBER.put(entry, 0, sequence);
    DESCRIPTOR_COUNT.put(entry, 0, updates.size());
    RESERVED.put(entry, 0, 0);
    LOG_GUID.put(entry, 0, log.bytes());
    FLUSHED_FILE_OFFSET.put(entry, 0, flushed);
    LAST_FILE_OFFSET.put(entry, 0, last);
    for (int i = 0; i < updates.size(); i++) {
      Update update = updates.get(i);
      int at = descriptor(i);
      ByteBuffer bytes = update.bytes();
      DATA_SIGNATURE.put(entry, at, DATA_DESCRIPTOR);
      TRAILING_BYTES.put(entry, at, SEQUENCE_LOW.get(bytes, 0));
      LEADING_BYTES.put(entry, at, DataSector.LEADING.get(bytes, 0));
      DATA_FILE_OFFSET.put(entry, at, update.offset());
      DATA_SEQUENCE.put(entry, at, sequence);
      int sector = (heads + i) * SECTOR;
      entry.put(sector, bytes, 0, SECTOR);
      SECTOR_SIGNATURE.put(entry, sector, DATA_SECTOR_SIGNATURE);
      SEQUENCE_HIGH.put(entry, sector, sequence >>> 32);
      SEQUENCE_LOW.put(entry, sector, sequence & 0xffff_ffffL);
    }
    CHECKSUM.put(entry, 0, Crc.of(entry, CHECKSUM));
    return entry;
  }

  /** Whether a sector belongs to the data of an entry with this number. */
  static boolean isDataSector(ByteBuffer bytes, int sector, long sequence) {
    return SECTOR_SIGNATURE.get(bytes, sector) == DATA_SECTOR_SIGNATURE
        && SEQUENCE_HIGH.get(bytes, sector) == sequence >>> 32
        && SEQUENCE_LOW.get(bytes, sector) == (sequence & 0xffff_ffffL);
  }

  /** Makes an update of a data sector again. */
  static void restore(ByteBuffer sector, long leading, long trailing) {
    DataSector.LEADING.put(sector, 0, leading);
    SEQUENCE_LOW.put(sector, 0, trailing);
  }

  /** What a data sector has instead of its signature when it is in its place. */
  private static final class DataSector {
    static final Struct STRUCT = Struct.littleEndian("VHDX log update");
    static final Struct.U64 LEADING = STRUCT.u64("leading");
  }
}
