package io.vdisk.format.qcow;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow.crypt.LegacyAes;
import io.vdisk.spi.struct.Struct;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The header of qcow version 1: 48 bytes, big-endian, at the beginning of the file. The format has
 * no specification beyond the programs that write it: QEMU, and Xen's blktap.
 *
 * @param backingFileOffset where the backing file's name lies; 0 if there is none
 * @param backingFileSize bytes of that name, which no zero ends
 * @param mtimeSeconds the backing file's time of change, since 1970; 0 from QEMU
 * @param size bytes of the virtual disk
 * @param clusterBits a cluster has two to the power of this bytes
 * @param l2Bits an L2 table has two to the power of this entries
 * @param cryptMethod 0: none; 1: AES
 * @param l1TableOffset where the L1 table lies
 */
record QcowHeader(
    long backingFileOffset,
    long backingFileSize,
    long mtimeSeconds,
    long size,
    int clusterBits,
    int l2Bits,
    long cryptMethod,
    long l1TableOffset) {
  static final Struct STRUCT = Struct.bigEndian("qcow header");
  private static final Struct.U32 MAGIC = STRUCT.u32("magic");
  private static final Struct.U32 VERSION = STRUCT.u32("version");
  private static final Struct.U64 BACKING_FILE_OFFSET = STRUCT.u64("backing_file_offset");
  private static final Struct.U32 BACKING_FILE_SIZE = STRUCT.u32("backing_file_size");
  private static final Struct.U32 MTIME = STRUCT.u32("mtime");
  private static final Struct.U64 SIZE = STRUCT.u64("size");
  private static final Struct.U8 CLUSTER_BITS = STRUCT.u8("cluster_bits");
  private static final Struct.U8 L2_BITS = STRUCT.u8("l2_bits");
  private static final Struct.U16 PADDING = STRUCT.u16("padding");
  private static final Struct.U32 CRYPT_METHOD = STRUCT.u32("crypt_method");
  private static final Struct.U64 L1_TABLE_OFFSET = STRUCT.u64("l1_table_offset");

  static {
    STRUCT.end(48);
  }

  /** "QFI" and 0xfb, which qcow2 begins with too. */
  static final long QCOW_MAGIC = 0x514649fbL;

  /** What QEMU and Xen write in the version field of this format. */
  static final long QCOW_VERSION = 1;

  /** Clusters of 512 bytes: the least that QEMU and Xen open. */
  static final int MIN_CLUSTER_BITS = 9;

  /** Clusters of 64 KiB: the most that QEMU opens. */
  static final int MAX_CLUSTER_BITS = 16;

  /** L2 tables of 512 bytes: the least that QEMU opens. */
  static final int MIN_L2_BITS = 6;

  /** L2 tables of 64 KiB: the most that QEMU opens. */
  static final int MAX_L2_BITS = 13;

  /** Bytes of the backing file's name: the most that QEMU opens. */
  static final int MAX_BACKING_NAME = 1023;

  /** Bytes of the L1 table. Ours: 64 TiB in QEMU's and Xen's default geometry. */
  static final long MAX_L1_BYTES = 256L << 20;

  private static final int CRYPT_NONE = 0;

  /** Whether {@code start}, the first 8 bytes of a file, begins a header of this version. */
  static boolean isRecognised(ByteBuffer start) {
    return MAGIC.get(start, 0) == QCOW_MAGIC && VERSION.get(start, 0) == QCOW_VERSION;
  }

  /** Reads and checks a file's header. */
  static QcowHeader read(HostFile file, Limits limits) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(STRUCT.size());
    try {
      file.readFully(bytes, 0);
    } catch (EOFException e) {
      throw new CorruptImageException(file.name() + ": the file ends within the qcow header", e);
    }
    QcowHeader header = decode(bytes, file.name());
    header.validate(file.name(), limits);
    header.validateExtent(file);
    return header;
  }

  private static QcowHeader decode(ByteBuffer bytes, String file) throws IOException {
    if (MAGIC.get(bytes, 0) != QCOW_MAGIC) {
      throw new CorruptImageException(file + ": no qcow magic at 0");
    }
    if (VERSION.get(bytes, 0) != QCOW_VERSION) {
      throw new UnsupportedImageException(
          file + ": version " + VERSION.get(bytes, 0) + " at 4 is not qcow version 1");
    }
    return new QcowHeader(
        BACKING_FILE_OFFSET.get(bytes, 0),
        BACKING_FILE_SIZE.get(bytes, 0),
        MTIME.get(bytes, 0),
        SIZE.get(bytes, 0),
        CLUSTER_BITS.get(bytes, 0),
        L2_BITS.get(bytes, 0),
        CRYPT_METHOD.get(bytes, 0),
        L1_TABLE_OFFSET.get(bytes, 0));
  }

  /** Puts the header at the beginning of {@code bytes}. */
  void encode(ByteBuffer bytes) {
    MAGIC.put(bytes, 0, QCOW_MAGIC);
    VERSION.put(bytes, 0, QCOW_VERSION);
    BACKING_FILE_OFFSET.put(bytes, 0, backingFileOffset);
    BACKING_FILE_SIZE.put(bytes, 0, backingFileSize);
    MTIME.put(bytes, 0, mtimeSeconds);
    SIZE.put(bytes, 0, size);
    CLUSTER_BITS.put(bytes, 0, clusterBits);
    L2_BITS.put(bytes, 0, l2Bits);
    PADDING.put(bytes, 0, 0);
    CRYPT_METHOD.put(bytes, 0, cryptMethod);
    L1_TABLE_OFFSET.put(bytes, 0, l1TableOffset);
  }

  /** Refuses what cannot be, and what is beyond a limit; looks at the fields alone. */
  void validate(String file, Limits limits) throws IOException {
    check(
        clusterBits >= MIN_CLUSTER_BITS && clusterBits <= MAX_CLUSTER_BITS,
        file,
        CLUSTER_BITS,
        clusterBits);
    check(l2Bits >= MIN_L2_BITS && l2Bits <= MAX_L2_BITS, file, L2_BITS, l2Bits);
    // QEMU and Xen refuse a disk of 1 byte too.
    check(size < 0 || size > 1, file, SIZE, size);
    limits.checkVirtualSize(size, file);
    check(
        cryptMethod == CRYPT_NONE || cryptMethod == LegacyAes.METHOD,
        file,
        CRYPT_METHOD,
        cryptMethod);
    check(
        backingFileOffset == 0 || backingFileOffset >= STRUCT.size(),
        file,
        BACKING_FILE_OFFSET,
        backingFileOffset);
    check(
        backingFileOffset == 0 || backingFileSize <= MAX_BACKING_NAME,
        file,
        BACKING_FILE_SIZE,
        backingFileSize);
    check(l1TableOffset >= STRUCT.size(), file, L1_TABLE_OFFSET, l1TableOffset);
    if (l1Entries() > MAX_L1_BYTES / Long.BYTES) {
      throw new UnsupportedImageException(
          file + ": an L1 table of " + l1Entries() + " entries is beyond " + MAX_L1_BYTES + " B");
    }
    limits.checkTable("L1 table", l1Bytes(), file);
    limits.checkTable("L2 table", l2Bytes(), file);
  }

  /** Refuses a name or an L1 table that is not inside the file. */
  private void validateExtent(HostFile file) throws IOException {
    long end = file.size();
    check(
        backingFileOffset == 0 || backingFileOffset <= end - backingFileSize,
        file.name(),
        BACKING_FILE_OFFSET,
        backingFileOffset);
    if (l1TableOffset > end - l1Bytes()) {
      throw new CorruptImageException(
          file.name()
              + ": L1 table of "
              + l1Bytes()
              + " bytes at "
              + l1TableOffset
              + " is past the end");
    }
  }

  private static void check(boolean right, String file, Struct.Field field, long value)
      throws IOException {
    if (!right) {
      throw new CorruptImageException(
          file
              + ": "
              + field.name()
              + " at "
              + field.offset()
              + " is "
              + Long.toUnsignedString(value));
    }
  }

  /** The backing file's name; empty if the image stands alone. */
  Optional<String> readBackingName(HostFile file) throws IOException {
    if (backingFileOffset == 0 || backingFileSize == 0) {
      return Optional.empty();
    }
    ByteBuffer name = ByteBuffer.allocate((int) backingFileSize);
    file.readFully(name, backingFileOffset);
    return Optional.of(StandardCharsets.UTF_8.decode(name.flip()).toString());
  }

  /** Whether stored clusters are enciphered. */
  boolean isEncrypted() {
    return cryptMethod != CRYPT_NONE;
  }

  /** Bytes of a cluster. */
  int clusterSize() {
    return 1 << clusterBits;
  }

  /** Bytes of an L2 table. */
  int l2Bytes() {
    return Long.BYTES << l2Bits;
  }

  /** Entries of the L1 table: one for each L2 table that the disk needs. */
  long l1Entries() {
    return ((size - 1) >>> (clusterBits + l2Bits)) + 1;
  }

  /** Bytes of the L1 table. */
  long l1Bytes() {
    return l1Entries() * Long.BYTES;
  }

  /** Where header and name end: nothing else begins before. */
  long end() {
    return backingFileOffset == 0
        ? STRUCT.size()
        : Math.max(STRUCT.size(), backingFileOffset + backingFileSize);
  }
}
