package io.vdisk.format.vhd;

import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/**
 * The hard disk footer: 512 bytes, big-endian, at the end of the file; dynamic and differencing
 * disks have a copy at its beginning. Source: Virtual Hard Disk Image Format Specification 1.0,
 * "Hard Disk Footer Format"; of Xen come the hidden flag and the second cookie.
 *
 * <p>Immutable. What is not known here is kept as it was.
 */
final class HardDiskFooter {
  static final Struct STRUCT = Struct.bigEndian("hard disk footer");
  static final Struct.Bytes COOKIE = STRUCT.bytes("Cookie", 8);
  static final Struct.U32 FEATURES = STRUCT.u32("Features");
  static final Struct.U32 FILE_FORMAT_VERSION = STRUCT.u32("File Format Version");
  static final Struct.U64 DATA_OFFSET = STRUCT.u64("Data Offset");
  static final Struct.U32 TIME_STAMP = STRUCT.u32("Time Stamp");
  static final Struct.U32 CREATOR_APPLICATION = STRUCT.u32("Creator Application");
  static final Struct.U32 CREATOR_VERSION = STRUCT.u32("Creator Version");
  static final Struct.U32 CREATOR_HOST_OS = STRUCT.u32("Creator Host OS");
  static final Struct.U64 ORIGINAL_SIZE = STRUCT.u64("Original Size");
  static final Struct.U64 CURRENT_SIZE = STRUCT.u64("Current Size");
  static final Struct.U32 DISK_GEOMETRY = STRUCT.u32("Disk Geometry");
  static final Struct.U32 DISK_TYPE = STRUCT.u32("Disk Type");
  static final Struct.U32 CHECKSUM = STRUCT.u32("Checksum");
  static final Struct.Bytes UNIQUE_ID = STRUCT.bytes("Unique Id", 16);
  static final Struct.U8 SAVED_STATE = STRUCT.u8("Saved State");
  static final Struct.U8 HIDDEN = STRUCT.u8("Hidden");
  static final Struct.Bytes RESERVED = STRUCT.bytes("Reserved", 426);

  static {
    STRUCT.end(512);
  }

  /** Bytes of a footer. */
  static final int BYTES = 512;

  /** Bytes of a footer of Virtual PC before 2004: the last reserved byte is not there. */
  static final int SHORT_BYTES = 511;

  private static final byte[] CONECTIX = "conectix".getBytes(StandardCharsets.US_ASCII);

  /** Xen's cookie of an image whose metadata is being moved. */
  private static final byte[] POISON = "v_poison".getBytes(StandardCharsets.US_ASCII);

  /** "Reserved. This bit must always be set to 1." */
  private static final long FEATURES_RESERVED = 2;

  private static final long VERSION_1_0 = 0x0001_0000;

  /** Seconds from 1970 to 2000-01-01T00:00Z, from which time stamps count. */
  static final long EPOCH = 946_684_800L;

  private final ByteBuffer bytes;

  private HardDiskFooter(ByteBuffer bytes) {
    this.bytes = bytes;
  }

  /** What the bytes say; nothing is checked. */
  static HardDiskFooter of(ByteBuffer source) {
    ByteBuffer copy = ByteBuffer.allocate(BYTES);
    copy.put(source.duplicate());
    return new HardDiskFooter(copy.clear());
  }

  /** A footer of a new disk. */
  static HardDiskFooter create(
      DiskType type, Creator creator, long size, ChsGeometry geometry, UUID id, long timeStamp) {
    ByteBuffer fresh = ByteBuffer.allocate(BYTES);
    COOKIE.put(fresh, 0, CONECTIX);
    FEATURES.put(fresh, 0, FEATURES_RESERVED);
    FILE_FORMAT_VERSION.put(fresh, 0, VERSION_1_0);
    DATA_OFFSET.put(fresh, 0, type == DiskType.FIXED ? -1 : BYTES);
    TIME_STAMP.put(fresh, 0, timeStamp);
    CREATOR_APPLICATION.put(fresh, 0, creator.application());
    CREATOR_VERSION.put(fresh, 0, creator.version());
    CREATOR_HOST_OS.put(fresh, 0, creator.hostOs());
    ORIGINAL_SIZE.put(fresh, 0, size);
    CURRENT_SIZE.put(fresh, 0, size);
    DISK_GEOMETRY.put(fresh, 0, geometry.encode());
    DISK_TYPE.put(fresh, 0, type.code());
    UNIQUE_ID.put(fresh, 0, UniqueId.bytes(id));
    return new HardDiskFooter(fresh).sealed();
  }

  /** Whether there is a cookie at all. */
  boolean hasCookie() {
    byte[] cookie = COOKIE.get(bytes, 0);
    return Arrays.equals(cookie, CONECTIX) || Arrays.equals(cookie, POISON);
  }

  /** Whether Xen marked the image as one whose metadata is being moved. */
  boolean isPoisoned() {
    return Arrays.equals(COOKIE.get(bytes, 0), POISON);
  }

  /** Whether the checksum is right, or as early tools of Xen left it when they hid an image. */
  boolean hasRightChecksum() {
    long recorded = checksum();
    if (recorded == calculated(bytes)) {
      return true;
    }
    if (hidden() == 0 || !creator().isEarlyTap()) {
      return false;
    }
    ByteBuffer shown = copy();
    HIDDEN.put(shown, 0, 0);
    return recorded == calculated(shown);
  }

  /** The checksum as it is recorded. */
  long checksum() {
    return CHECKSUM.get(bytes, 0);
  }

  /** The checksum as it should be. */
  long rightChecksum() {
    return calculated(bytes);
  }

  /** The complement of the sum of all bytes but those of the field itself. */
  private static long calculated(ByteBuffer footer) {
    return ChecksumField.calculate(footer, BYTES, CHECKSUM);
  }

  /** The same with the right checksum. */
  HardDiskFooter sealed() {
    ByteBuffer copy = copy();
    CHECKSUM.put(copy, 0, calculated(copy));
    return new HardDiskFooter(copy);
  }

  /** The same with the usual cookie. */
  HardDiskFooter enabled() {
    ByteBuffer copy = copy();
    COOKIE.put(copy, 0, CONECTIX);
    return new HardDiskFooter(copy).sealed();
  }

  /** The same with another size, and the geometry of that; readers that go by it see no less. */
  HardDiskFooter withSize(long size) {
    ByteBuffer copy = copy();
    CURRENT_SIZE.put(copy, 0, size);
    DISK_GEOMETRY.put(copy, 0, ChsGeometry.of(size / 512).encode());
    HardDiskFooter resized = new HardDiskFooter(copy);
    return resized.virtualSize() == size
        ? resized.sealed()
        : resized.withCreator(Creator.QEMU_EXACT);
  }

  private HardDiskFooter withCreator(Creator creator) {
    ByteBuffer copy = copy();
    CREATOR_APPLICATION.put(copy, 0, creator.application());
    CREATOR_VERSION.put(copy, 0, creator.version());
    return new HardDiskFooter(copy).sealed();
  }

  /** The same as another type. */
  HardDiskFooter withType(DiskType type) {
    ByteBuffer copy = copy();
    DISK_TYPE.put(copy, 0, type.code());
    return new HardDiskFooter(copy).sealed();
  }

  /** The same with the dynamic disk header elsewhere. */
  HardDiskFooter withDataOffset(long offset) {
    ByteBuffer copy = copy();
    DATA_OFFSET.put(copy, 0, offset);
    return new HardDiskFooter(copy).sealed();
  }

  /** The same, hidden from Xen's tools or not. */
  HardDiskFooter withHidden(int value) {
    ByteBuffer copy = copy();
    HIDDEN.put(copy, 0, value);
    return new HardDiskFooter(copy).sealed();
  }

  /** The same with another id. */
  HardDiskFooter withId(UUID id) {
    ByteBuffer copy = copy();
    UNIQUE_ID.put(copy, 0, UniqueId.bytes(id));
    return new HardDiskFooter(copy).sealed();
  }

  private ByteBuffer copy() {
    return ByteBuffer.allocate(BYTES).put(bytes.duplicate()).clear();
  }

  /** The bytes as they go to disk; read-only. */
  ByteBuffer bytes() {
    return bytes.asReadOnlyBuffer();
  }

  long features() {
    return FEATURES.get(bytes, 0);
  }

  long fileFormatVersion() {
    return FILE_FORMAT_VERSION.get(bytes, 0);
  }

  /** Where the dynamic disk header lies; all ones for a fixed disk. */
  long dataOffset() {
    return DATA_OFFSET.get(bytes, 0);
  }

  /** When it was made, seconds since 2000. */
  long timeStamp() {
    return TIME_STAMP.get(bytes, 0);
  }

  /** Who made it. */
  Creator creator() {
    return new Creator(
        CREATOR_APPLICATION.get(bytes, 0),
        CREATOR_VERSION.get(bytes, 0),
        CREATOR_HOST_OS.get(bytes, 0));
  }

  long originalSize() {
    return ORIGINAL_SIZE.get(bytes, 0);
  }

  /** Bytes of the disk, as it is recorded. */
  long currentSize() {
    return CURRENT_SIZE.get(bytes, 0);
  }

  ChsGeometry geometry() {
    return ChsGeometry.decode(DISK_GEOMETRY.get(bytes, 0));
  }

  /**
   * Bytes of the disk as its creator means them: what the geometry reaches where the creator rounds
   * to it, unless that is as large as a geometry can be or has no sector.
   */
  long virtualSize() {
    long sectors = geometry().sectors();
    return creator().meansGeometry() && sectors != 0 && sectors != ChsGeometry.MAX_TOTAL
        ? sectors * 512
        : currentSize();
  }

  /** The number of the type. */
  long typeCode() {
    return DISK_TYPE.get(bytes, 0);
  }

  /** Whether it is of this type. */
  boolean is(DiskType type) {
    return typeCode() == type.code();
  }

  UUID id() {
    return UniqueId.of(UNIQUE_ID.get(bytes, 0));
  }

  /** Whether the disk belongs to a machine whose state was saved. */
  boolean isSavedState() {
    return SAVED_STATE.get(bytes, 0) != 0;
  }

  /** Xen's mark of images that its tools do not show; 0: shown. */
  int hidden() {
    return HIDDEN.get(bytes, 0);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof HardDiskFooter footer && bytes.equals(footer.bytes);
  }

  @Override
  public int hashCode() {
    return bytes.hashCode();
  }
}
