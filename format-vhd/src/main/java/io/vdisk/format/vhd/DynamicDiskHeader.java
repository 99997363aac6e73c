package io.vdisk.format.vhd;

import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * The dynamic disk header of dynamic and differencing disks: 1,024 bytes, big-endian, where the
 * footer says. Source: Virtual Hard Disk Image Format Specification 1.0, "Dynamic Disk Header
 * Format".
 *
 * <p>Immutable. What is not known here is kept as it was.
 */
final class DynamicDiskHeader {
  static final Struct STRUCT = Struct.bigEndian("dynamic disk header");
  static final Struct.Bytes COOKIE = STRUCT.bytes("Cookie", 8);
  static final Struct.U64 DATA_OFFSET = STRUCT.u64("Data Offset");
  static final Struct.U64 TABLE_OFFSET = STRUCT.u64("Table Offset");
  static final Struct.U32 HEADER_VERSION = STRUCT.u32("Header Version");
  static final Struct.U32 MAX_TABLE_ENTRIES = STRUCT.u32("Max Table Entries");
  static final Struct.U32 BLOCK_SIZE = STRUCT.u32("Block Size");
  static final Struct.U32 CHECKSUM = STRUCT.u32("Checksum");
  static final Struct.Bytes PARENT_UNIQUE_ID = STRUCT.bytes("Parent Unique ID", 16);
  static final Struct.U32 PARENT_TIME_STAMP = STRUCT.u32("Parent Time Stamp");
  static final Struct.U32 RESERVED_1 = STRUCT.u32("Reserved");
  static final Struct.Bytes PARENT_UNICODE_NAME = STRUCT.bytes("Parent Unicode Name", 512);
  static final List<Struct.Bytes> PARENT_LOCATORS = new ArrayList<>();
  static final Struct.Bytes RESERVED_2;

  static {
    for (int i = 1; i <= 8; i++) {
      PARENT_LOCATORS.add(STRUCT.bytes("Parent Locator Entry " + i, ParentLocator.STRUCT.size()));
    }
    RESERVED_2 = STRUCT.bytes("Reserved", 256);
    STRUCT.end(1024);
  }

  /** Bytes of a header. */
  static final int BYTES = 1024;

  private static final byte[] CXSPARSE = "cxsparse".getBytes(StandardCharsets.US_ASCII);

  static final long VERSION_1_0 = 0x0001_0000;

  private final ByteBuffer bytes;

  private DynamicDiskHeader(ByteBuffer bytes) {
    this.bytes = bytes;
  }

  /** What the bytes say; nothing is checked. */
  static DynamicDiskHeader of(ByteBuffer source) {
    return new DynamicDiskHeader(ByteBuffer.allocate(BYTES).put(source.duplicate()).clear());
  }

  /** The header of a new disk. */
  static DynamicDiskHeader create(long tableOffset, long entries, long blockSize) {
    ByteBuffer fresh = ByteBuffer.allocate(BYTES);
    COOKIE.put(fresh, 0, CXSPARSE);
    DATA_OFFSET.put(fresh, 0, -1);
    TABLE_OFFSET.put(fresh, 0, tableOffset);
    HEADER_VERSION.put(fresh, 0, VERSION_1_0);
    MAX_TABLE_ENTRIES.put(fresh, 0, entries);
    BLOCK_SIZE.put(fresh, 0, blockSize);
    return new DynamicDiskHeader(fresh).sealed();
  }

  boolean hasCookie() {
    return Arrays.equals(COOKIE.get(bytes, 0), CXSPARSE);
  }

  boolean hasRightChecksum() {
    return checksum() == rightChecksum();
  }

  long checksum() {
    return CHECKSUM.get(bytes, 0);
  }

  long rightChecksum() {
    return ChecksumField.calculate(bytes, BYTES, CHECKSUM);
  }

  /** The same with the right checksum. */
  DynamicDiskHeader sealed() {
    ByteBuffer copy = copy();
    CHECKSUM.put(copy, 0, ChecksumField.calculate(copy, BYTES, CHECKSUM));
    return new DynamicDiskHeader(copy);
  }

  /** The same with a table of another length. */
  DynamicDiskHeader withEntries(long entries) {
    ByteBuffer copy = copy();
    MAX_TABLE_ENTRIES.put(copy, 0, entries);
    return new DynamicDiskHeader(copy).sealed();
  }

  /** The same with the table elsewhere. */
  DynamicDiskHeader withTableAt(long offset) {
    ByteBuffer copy = copy();
    TABLE_OFFSET.put(copy, 0, offset);
    return new DynamicDiskHeader(copy).sealed();
  }

  /** The same with these locators, and no others. */
  DynamicDiskHeader withLocators(List<ParentLocator> locators) {
    ByteBuffer copy = copy();
    put(copy, locators);
    return new DynamicDiskHeader(copy).sealed();
  }

  private static void put(ByteBuffer header, List<ParentLocator> locators) {
    for (int i = 0; i < PARENT_LOCATORS.size(); i++) {
      ParentLocator locator = i < locators.size() ? locators.get(i) : ParentLocator.UNUSED;
      locator.encode(header, PARENT_LOCATORS.get(i).offset());
    }
  }

  /** The same with another parent. */
  DynamicDiskHeader withParent(UUID id, long timeStamp, String name, List<ParentLocator> locators) {
    ByteBuffer copy = copy();
    PARENT_UNIQUE_ID.put(copy, 0, UniqueId.bytes(id));
    PARENT_TIME_STAMP.put(copy, 0, timeStamp);
    byte[] text = name.getBytes(StandardCharsets.UTF_16BE);
    int room = PARENT_UNICODE_NAME.length() - 2;
    PARENT_UNICODE_NAME.put(copy, 0, Arrays.copyOf(text, Math.min(text.length, room)));
    put(copy, locators);
    return new DynamicDiskHeader(copy).sealed();
  }

  private ByteBuffer copy() {
    return ByteBuffer.allocate(BYTES).put(bytes.duplicate()).clear();
  }

  /** The bytes as they go to disk; read-only. */
  ByteBuffer bytes() {
    return bytes.asReadOnlyBuffer();
  }

  /** Where the block allocation table lies. */
  long tableOffset() {
    return TABLE_OFFSET.get(bytes, 0);
  }

  long version() {
    return HEADER_VERSION.get(bytes, 0);
  }

  /** Entries of the block allocation table, at least one for each block of the disk. */
  long maxTableEntries() {
    return MAX_TABLE_ENTRIES.get(bytes, 0);
  }

  /** Guest bytes of a block. */
  long blockSize() {
    return BLOCK_SIZE.get(bytes, 0);
  }

  /** The id of the parent; {@link UniqueId#NONE} if that is no VHD, or there is none. */
  UUID parentId() {
    return UniqueId.of(PARENT_UNIQUE_ID.get(bytes, 0));
  }

  /** When the parent was changed last, seconds since 2000. */
  long parentTimeStamp() {
    return PARENT_TIME_STAMP.get(bytes, 0);
  }

  /** The parent's file name; empty if there is none. */
  String parentName() {
    byte[] raw = PARENT_UNICODE_NAME.get(bytes, 0);
    String text = StandardCharsets.UTF_16BE.decode(ByteBuffer.wrap(raw)).toString();
    int end = text.indexOf('\0');
    return end < 0 ? text : text.substring(0, end);
  }

  /** All eight entries. */
  List<ParentLocator> locators() {
    List<ParentLocator> locators = new ArrayList<>();
    for (Struct.Bytes entry : PARENT_LOCATORS) {
      locators.add(ParentLocator.decode(bytes, entry.offset()));
    }
    return locators;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof DynamicDiskHeader header && bytes.equals(header.bytes);
  }

  @Override
  public int hashCode() {
    return bytes.hashCode();
  }
}
