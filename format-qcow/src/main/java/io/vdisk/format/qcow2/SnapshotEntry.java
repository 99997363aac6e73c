package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.ImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * An entry of the snapshot table: 40 bytes, big-endian, then extra data, id and name, padded to 8
 * bytes. Specification: "Snapshot table entry". What it names need not be there: {@link #checkL1}
 * before it is used, so that one broken snapshot spoils no other.
 *
 * @param l1Offset where its L1 table lies
 * @param l1Entries entries of that, 0 to 2^32 - 1
 * @param id unique in the image
 * @param name the user's
 * @param seconds when it was made, since 1970-01-01T00:00Z, 0 to 2^32 - 1
 * @param nanos the part of a second, 0 to 2^32 - 1
 * @param vmClockNanos how long the guest had run
 * @param vmStateBytes saved state of a machine, behind the disk's end; 0 if there is none
 * @param virtualSize bytes of the disk then; the image's where the entry does not say
 * @param extra the extra data as it is in the file: 16 bytes that are encoded from the two fields
 *     before, then what nobody need understand, which is kept. Shorter than that in version 2
 */
record SnapshotEntry(
    long l1Offset,
    long l1Entries,
    RawBytes id,
    RawBytes name,
    long seconds,
    long nanos,
    long vmClockNanos,
    long vmStateBytes,
    long virtualSize,
    RawBytes extra) {
  private static final Struct ENTRY = Struct.bigEndian("snapshot table entry");
  private static final Struct.U64 L1_TABLE_OFFSET = ENTRY.u64("l1_table_offset");
  private static final Struct.U32 L1_SIZE = ENTRY.u32("l1_size");
  private static final Struct.U16 ID_STR_SIZE = ENTRY.u16("id_str_size");
  private static final Struct.U16 NAME_SIZE = ENTRY.u16("name_size");
  private static final Struct.U32 DATE_SEC = ENTRY.u32("date_sec");
  private static final Struct.U32 DATE_NSEC = ENTRY.u32("date_nsec");
  private static final Struct.U64 VM_CLOCK_NSEC = ENTRY.u64("vm_clock_nsec");
  private static final Struct.U32 VM_STATE_SIZE = ENTRY.u32("vm_state_size");
  private static final Struct.U32 EXTRA_DATA_SIZE = ENTRY.u32("extra_data_size");

  static {
    ENTRY.end(40);
  }

  /** Bytes of the part that every entry has. */
  static final int FIXED = 40;

  /** Bytes of extra data that version 3 must have: size of the state, virtual size. */
  static final int NEEDED_EXTRA = 2 * Long.BYTES;

  /** Most bytes of extra data: QEMU's limit. */
  static final int MAX_EXTRA = 1024;

  /** Longest id and name, bytes: what their length fields hold. */
  static final int MAX_TEXT = 0xffff;

  /**
   * The extra data of a new snapshot. Its last eight bytes, known to QEMU since 6.0, count the
   * instructions that the guest has run, and -1 says that nobody counted.
   */
  static RawBytes newExtra() {
    return RawBytes.of(ByteBuffer.allocate(3 * Long.BYTES).putLong(16, -1).array());
  }

  /** Reads the next entry, strictly or not as {@code cursor} is told. */
  static SnapshotEntry parse(SnapshotCursor cursor, long imageSize) throws IOException {
    ByteBuffer fixed = ByteBuffer.wrap(cursor.take(FIXED));
    RawBytes extra = cursor.takeExtra(EXTRA_DATA_SIZE.get(fixed, 0));
    RawBytes id = RawBytes.of(cursor.take(ID_STR_SIZE.get(fixed, 0)));
    RawBytes name = RawBytes.of(cursor.take(NAME_SIZE.get(fixed, 0)));
    boolean saysState = extra.size() >= Long.BYTES;
    return new SnapshotEntry(
        L1_TABLE_OFFSET.get(fixed, 0),
        L1_SIZE.get(fixed, 0),
        id,
        name,
        DATE_SEC.get(fixed, 0),
        DATE_NSEC.get(fixed, 0),
        VM_CLOCK_NSEC.get(fixed, 0),
        saysState ? extra.longAt(0) : VM_STATE_SIZE.get(fixed, 0),
        extra.size() >= NEEDED_EXTRA ? extra.longAt(Long.BYTES) : imageSize,
        extra);
  }

  /** The layout of the fixed part, for the test against the specification. */
  static String describe() {
    return ENTRY.describe();
  }

  /** Bytes of its L1 table. */
  long l1Bytes() {
    return l1Entries * Long.BYTES;
  }

  /** Whether the file says how large state and disk are, as version 3 must. */
  boolean isComplete() {
    return extra.size() >= NEEDED_EXTRA;
  }

  /** The same snapshot with another L1 table. */
  SnapshotEntry withL1(long offset, long entries) {
    return new SnapshotEntry(
        offset, entries, id, name, seconds, nanos, vmClockNanos, vmStateBytes, virtualSize, extra);
  }

  /** Bytes that it takes in the file, with the extra data that was kept. */
  long storedBytes() {
    return (long) FIXED + extra.size() + id.size() + name.size();
  }

  /** Bytes that it takes when it is written, without the padding behind it. */
  long encodedBytes() {
    return (long) FIXED + Math.max(NEEDED_EXTRA, extra.size()) + id.size() + name.size();
  }

  /** Writes it at the position of {@code target}, whose bytes there are zero. */
  void encode(ByteBuffer target) {
    int base = target.position();
    L1_TABLE_OFFSET.put(target, base, l1Offset);
    L1_SIZE.put(target, base, l1Entries);
    ID_STR_SIZE.put(target, base, id.size());
    NAME_SIZE.put(target, base, name.size());
    DATE_SEC.put(target, base, seconds);
    DATE_NSEC.put(target, base, nanos);
    VM_CLOCK_NSEC.put(target, base, vmClockNanos);
    // A state that does not fit is left out for readers who know this field alone, as QEMU does.
    VM_STATE_SIZE.put(target, base, vmStateBytes >>> Integer.SIZE == 0 ? vmStateBytes : 0);
    EXTRA_DATA_SIZE.put(target, base, Math.max(NEEDED_EXTRA, extra.size()));
    target.position(base + FIXED).putLong(vmStateBytes).putLong(virtualSize);
    target.put(extra.from(NEEDED_EXTRA));
    id.encode(target);
    name.encode(target);
  }

  /** Refuses an L1 table that cannot be, or that does not cover the snapshot's disk. */
  void checkL1(HostFile file, Qcow2Header header) throws IOException {
    checkL1Place(file, header);
    checkL1Covers(file, header);
  }

  /** Refuses an L1 table that cannot be. */
  void checkL1Place(HostFile file, Qcow2Header header) throws IOException {
    if (l1Entries > Qcow2Header.MAX_L1_BYTES / Long.BYTES) {
      throw wrong(file, "has an L1 table of " + l1Entries + " entries");
    }
    if (l1Entries > 0
        && (l1Offset <= 0
            || l1Offset % header.clusterSize() != 0
            || l1Offset > file.size() - l1Bytes())) {
      throw wrong(
          file, "has an L1 table of " + l1Bytes() + " bytes at " + Long.toUnsignedString(l1Offset));
    }
  }

  private void checkL1Covers(HostFile file, Qcow2Header header) throws IOException {
    long needed = virtualSize / header.l1Coverage();
    needed += virtualSize % header.l1Coverage() == 0 ? 0 : 1;
    if (virtualSize < 0 || needed > l1Entries) {
      throw wrong(
          file,
          "is of "
              + Long.toUnsignedString(virtualSize)
              + " bytes and has an L1 table of "
              + l1Entries
              + " entries");
    }
  }

  private ImageException wrong(HostFile file, String what) {
    return new CorruptImageException(file.name() + ": snapshot " + id + " " + what);
  }
}
