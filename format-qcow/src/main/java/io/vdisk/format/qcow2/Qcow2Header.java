package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.ImageException;
import io.vdisk.Limits;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow.crypt.Luks;
import io.vdisk.format.qcow2.HeaderExtension.Feature;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The header of a qcow2 image: 72 bytes in version 2, at least 104 in version 3, then extensions,
 * then the name of the backing file, all within the first cluster. Big-endian. Specification:
 * "Header", "Header extensions". Immutable; everything has been checked.
 */
final class Qcow2Header {
  private static final Struct HEADER = Struct.bigEndian("qcow2 header");
  static final Struct.U32 MAGIC = HEADER.u32("magic");
  static final Struct.U32 VERSION = HEADER.u32("version");
  static final Struct.U64 BACKING_FILE_OFFSET = HEADER.u64("backing_file_offset");
  static final Struct.U32 BACKING_FILE_SIZE = HEADER.u32("backing_file_size");
  static final Struct.U32 CLUSTER_BITS = HEADER.u32("cluster_bits");
  static final Struct.U64 SIZE = HEADER.u64("size");
  static final Struct.U32 CRYPT_METHOD = HEADER.u32("crypt_method");
  static final Struct.U32 L1_SIZE = HEADER.u32("l1_size");
  static final Struct.U64 L1_TABLE_OFFSET = HEADER.u64("l1_table_offset");
  static final Struct.U64 REFCOUNT_TABLE_OFFSET = HEADER.u64("refcount_table_offset");
  static final Struct.U32 REFCOUNT_TABLE_CLUSTERS = HEADER.u32("refcount_table_clusters");
  static final Struct.U32 NB_SNAPSHOTS = HEADER.u32("nb_snapshots");
  static final Struct.U64 SNAPSHOTS_OFFSET = HEADER.u64("snapshots_offset");
  static final Struct.U64 INCOMPATIBLE_FEATURES = HEADER.u64("incompatible_features");
  static final Struct.U64 COMPATIBLE_FEATURES = HEADER.u64("compatible_features");
  static final Struct.U64 AUTOCLEAR_FEATURES = HEADER.u64("autoclear_features");
  static final Struct.U32 REFCOUNT_ORDER = HEADER.u32("refcount_order");
  static final Struct.U32 HEADER_LENGTH = HEADER.u32("header_length");
  static final Struct.U8 COMPRESSION_TYPE = HEADER.u8("compression_type");

  static {
    HEADER.bytes("padding", 7);
    HEADER.end(112);
  }

  /** "QFI" and 0xfb. */
  static final long QFI = 0x5146_49fbL;

  static final int VERSION_2_LENGTH = 72;
  private static final int VERSION_3_LENGTH = 104;

  /** Longest name of a backing file, bytes. Specification: backing_file_size. */
  static final int MAX_BACKING_NAME = 1023;

  static final int MIN_CLUSTER_BITS = 9;

  /** 2 MiB: the largest that QEMU opens. */
  static final int MAX_CLUSTER_BITS = 21;

  /** Largest L1 table, bytes: QEMU's limit. */
  static final long MAX_L1_BYTES = 32L << 20;

  /** Largest refcount table, bytes: QEMU's limit. */
  static final long MAX_REFCOUNT_TABLE_BYTES = 8L << 20;

  /** Most snapshots: QEMU's limit. */
  static final int MAX_SNAPSHOTS = 65_536;

  /** Subclusters of 512 bytes at least. Specification: cluster_bits. */
  static final int MIN_EXTENDED_CLUSTER_BITS = 14;

  private static final int MAX_REFCOUNT_ORDER = 6;

  /** Counts of 16 bits. */
  static final int VERSION_2_REFCOUNT_ORDER = 4;

  /** Bytes of a version 3 header that we write. */
  static final int LENGTH = 112;

  final int version;
  final long virtualSize;
  final int clusterBits;
  final int l1Entries;
  final long l1TableOffset;
  final long refcountTableOffset;
  final long refcountTableClusters;
  final int refcountOrder;
  final long incompatible;
  final long compatible;
  final long autoclear;

  /** 0: none; 1: {@code LegacyAes}; 2: {@link Luks}. */
  final long cryptMethod;

  /** Where the LUKS header lies; 0 if there is none. */
  final long luksOffset;

  /** Bytes of the LUKS header with all that belongs to it. */
  final long luksLength;

  final int snapshots;
  final long snapshotsOffset;

  /** 0: zlib; 1: zstd. */
  final int compressionType;

  final int length;
  final List<HeaderExtension> extensions;
  final Optional<String> backingName;

  /** Empty also where another program has changed the disk and not the bitmaps. */
  final Optional<BitmapsExtension> bitmaps;

  private Qcow2Header(ByteBuffer raw, HostFile file, Limits limits, Reading reading)
      throws IOException {
    String name = file.name();
    version = (int) VERSION.get(raw, 0);
    if (version != 2 && version != 3) {
      throw new UnsupportedImageException(name + ": qcow version " + version + " at offset 4");
    }
    clusterBits = (int) CLUSTER_BITS.get(raw, 0);
    if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS) {
      throw wrong(name, CLUSTER_BITS, Integer.toUnsignedString(clusterBits));
    }
    boolean is3 = version == 3;
    incompatible = is3 ? INCOMPATIBLE_FEATURES.get(raw, 0) : 0;
    compatible = is3 ? COMPATIBLE_FEATURES.get(raw, 0) : 0;
    autoclear = is3 ? AUTOCLEAR_FEATURES.get(raw, 0) : 0;
    cryptMethod = CRYPT_METHOD.get(raw, 0);
    refcountOrder = is3 ? (int) REFCOUNT_ORDER.get(raw, 0) : VERSION_2_REFCOUNT_ORDER;
    long declared = is3 ? HEADER_LENGTH.get(raw, 0) : VERSION_2_LENGTH;
    if (is3 && (declared < VERSION_3_LENGTH || declared > clusterSize())) {
      throw wrong(name, HEADER_LENGTH, declared);
    }
    length = (int) declared;
    long nameOffset = BACKING_FILE_OFFSET.get(raw, 0);
    if (nameOffset < 0 || nameOffset > clusterSize()) {
      throw wrong(name, BACKING_FILE_OFFSET, Long.toUnsignedString(nameOffset));
    }
    extensions = extensions(file, nameOffset == 0 ? clusterSize() : (int) nameOffset);
    checkFeatures(name);
    compressionType = compressionType(raw, name);
    snapshotsOffset = SNAPSHOTS_OFFSET.get(raw, 0);
    snapshots = snapshots(raw, name, reading);
    Optional<HeaderExtension> listed = extension(HeaderExtension.BITMAPS);
    bitmaps =
        listed.isPresent() && has(Feature.BITMAPS)
            ? Optional.of(BitmapsExtension.parse(listed.get().data(), clusterSize(), name))
            : Optional.empty();
    ByteBuffer pointer = encryptionPointer(name);
    luksOffset = pointer.getLong();
    luksLength = pointer.getLong();
    checkLuks(file);
    if (refcountOrder < 0 || refcountOrder > MAX_REFCOUNT_ORDER) {
      throw wrong(name, REFCOUNT_ORDER, Integer.toUnsignedString(refcountOrder));
    }
    virtualSize = SIZE.get(raw, 0);
    limits.checkVirtualSize(virtualSize, name);
    long entries = L1_SIZE.get(raw, 0);
    l1TableOffset = L1_TABLE_OFFSET.get(raw, 0);
    limits.checkTable("L1 table", entries * Long.BYTES, name);
    if (entries > MAX_L1_BYTES / Long.BYTES || entries < l1EntriesNeeded()) {
      throw wrong(name, L1_SIZE, entries);
    }
    l1Entries = (int) entries;
    checkTable(file, L1_TABLE_OFFSET, l1TableOffset, entries * Long.BYTES);
    refcountTableOffset = REFCOUNT_TABLE_OFFSET.get(raw, 0);
    refcountTableClusters = REFCOUNT_TABLE_CLUSTERS.get(raw, 0);
    long tableBytes = refcountTableClusters * clusterSize();
    limits.checkTable("refcount table", tableBytes, name);
    if (refcountTableClusters == 0 || tableBytes > MAX_REFCOUNT_TABLE_BYTES) {
      throw wrong(name, REFCOUNT_TABLE_CLUSTERS, refcountTableClusters);
    }
    if (reading == Reading.STRICT) {
      checkTable(file, REFCOUNT_TABLE_OFFSET, refcountTableOffset, tableBytes);
    } else {
      checkPlace(file, REFCOUNT_TABLE_OFFSET, refcountTableOffset, tableBytes);
    }
    boolean isNamed = nameOffset != 0 && BACKING_FILE_SIZE.get(raw, 0) != 0;
    backingName = isNamed ? Optional.of(backingName(raw, file)) : Optional.empty();
  }

  /** What is done about the faults that a check reports and a repair mends. */
  enum Reading {
    /** They are refused. */
    STRICT,
    /** A refcount table past the end of the file and too many snapshots pass. */
    TO_CHECK
  }

  /** Reads and checks the header; nothing that it asks for is allocated before it was checked. */
  static Qcow2Header read(HostFile file, Limits limits) throws IOException {
    return read(file, limits, Reading.STRICT);
  }

  /** The same, for who looks at tables alone or mends them. */
  static Qcow2Header read(HostFile file, Limits limits, Reading reading) throws IOException {
    ByteBuffer raw = ByteBuffer.allocate(HEADER.size());
    file.readPadded(raw, 0);
    if (file.size() < VERSION_2_LENGTH || MAGIC.get(raw, 0) != QFI) {
      throw new CorruptImageException(file.name() + ": no qcow2 header at offset 0");
    }
    return new Qcow2Header(raw, file, limits, reading);
  }

  /** The header that an image being made will have. */
  static Qcow2Header parse(ByteBuffer encoded, HostFile file, Limits limits) throws IOException {
    ByteBuffer raw = ByteBuffer.allocate(HEADER.size());
    raw.put(encoded.duplicate().limit(Math.min(encoded.limit(), raw.capacity())));
    return new Qcow2Header(raw, file, limits, Reading.STRICT);
  }

  /** The layout of the header, for the test against the specification. */
  static String describe() {
    return HEADER.describe();
  }

  int clusterSize() {
    return 1 << clusterBits;
  }

  /** Guest bytes that one entry of the L1 table stands for. */
  long l1Coverage() {
    return (long) clusterSize() * (clusterSize() / l2EntryBytes());
  }

  /** Entries of the L1 table that the virtual size takes. */
  long l1EntriesNeeded() {
    return l1EntriesFor(virtualSize);
  }

  /** Entries of the L1 table that a disk of this size takes. */
  long l1EntriesFor(long bytes) {
    return bytes / l1Coverage() + (bytes % l1Coverage() == 0 ? 0 : 1);
  }

  /** Whether L2 entries have two words, the second for the subclusters. */
  boolean isExtended() {
    return has(Feature.EXTENDED_L2);
  }

  /** Bytes of an L2 entry. */
  int l2EntryBytes() {
    return isExtended() ? 2 * Long.BYTES : Long.BYTES;
  }

  /** Whether guest data lies in a file of its own. */
  boolean hasDataFile() {
    return has(Feature.DATA_FILE);
  }

  /** Whether that file is a raw disk by itself. */
  boolean isDataFileRaw() {
    return hasDataFile() && has(Feature.RAW_DATA_FILE);
  }

  boolean isEncrypted() {
    return cryptMethod != 0;
  }

  int refcountBits() {
    return 1 << refcountOrder;
  }

  boolean has(Feature feature) {
    return feature.isIn(
        switch (feature.kind) {
          case 0 -> incompatible;
          case 1 -> compatible;
          default -> autoclear;
        });
  }

  Optional<HeaderExtension> extension(int type) {
    return extensions.stream().filter(extension -> extension.type() == type).findFirst();
  }

  /** The name that the image records for its data file. */
  Optional<String> dataFileName() {
    return extension(HeaderExtension.DATA_FILE).map(HeaderExtension::text);
  }

  /** The format that the image records for its backing file. */
  Optional<String> backingFormat() {
    return extension(HeaderExtension.BACKING_FORMAT).map(HeaderExtension::text);
  }

  private List<HeaderExtension> extensions(HostFile file, int end) throws IOException {
    List<HeaderExtension> found = new ArrayList<>();
    ByteBuffer area = ByteBuffer.allocate(Math.max(0, end - length));
    file.readPadded(area, length);
    area.flip();
    while (area.remaining() >= HeaderExtension.PREFIX) {
      int at = length + area.position();
      int type = area.getInt();
      long bytes = Integer.toUnsignedLong(area.getInt());
      if (bytes > area.remaining()) {
        throw new CorruptImageException(
            file.name() + ": header extension at offset " + at + " of " + bytes + " bytes");
      }
      if (type == HeaderExtension.END) {
        break;
      }
      byte[] data = new byte[(int) bytes];
      area.get(data);
      area.position(Math.min(area.limit(), (area.position() + 7) / 8 * 8));
      found.add(new HeaderExtension(type, data));
    }
    return List.copyOf(found);
  }

  private void checkFeatures(String name) throws ImageException {
    long known = 0;
    for (Feature feature : Feature.values()) {
      known |= feature.kind == Feature.INCOMPATIBLE ? feature.mask() : 0;
    }
    if ((incompatible & ~known) != 0) {
      throw new UnsupportedImageException(
          name + ": needs the incompatible features " + featureNames(incompatible & ~known));
    }
    if (cryptMethod > Luks.METHOD) {
      throw new UnsupportedImageException(
          name + ": encryption (method " + cryptMethod + ") is not supported");
    }
    if (has(Feature.RAW_DATA_FILE) && !hasDataFile()) {
      throw new CorruptImageException(name + ": a raw data file, and no data file");
    }
    if (isExtended() && clusterBits < MIN_EXTENDED_CLUSTER_BITS) {
      throw new CorruptImageException(
          name + ": extended L2 entries with clusters of " + clusterSize() + " bytes");
    }
  }

  /** A field that is there when the header is long enough, and not 0 only with its feature. */
  private int compressionType(ByteBuffer raw, String name) throws ImageException {
    int type = length > COMPRESSION_TYPE.offset() ? COMPRESSION_TYPE.get(raw, 0) : 0;
    if (has(Feature.COMPRESSION_TYPE) != (type != 0)) {
      throw wrong(name, COMPRESSION_TYPE, type);
    }
    return type;
  }

  /** Those beyond the limit are one too many, however many they are. */
  private int snapshots(ByteBuffer raw, String name, Reading reading) throws CorruptImageException {
    long count = NB_SNAPSHOTS.get(raw, 0);
    if (count > MAX_SNAPSHOTS && reading == Reading.STRICT) {
      throw wrong(name, NB_SNAPSHOTS, count);
    }
    boolean isMissing = count > 0 && snapshotsOffset == 0;
    if (isMissing || snapshotsOffset < 0 || snapshotsOffset % clusterSize() != 0) {
      throw wrong(name, SNAPSHOTS_OFFSET, Long.toUnsignedString(snapshotsOffset));
    }
    return (int) Math.min(count, MAX_SNAPSHOTS + 1);
  }

  /** Offset and length of the LUKS header, which only LUKS has, and must have. */
  private ByteBuffer encryptionPointer(String name) throws CorruptImageException {
    Optional<HeaderExtension> found = extension(HeaderExtension.ENCRYPTION);
    if (found.isPresent() != (cryptMethod == Luks.METHOD)) {
      throw new CorruptImageException(
          name
              + (found.isPresent()
                  ? ": a pointer to an encryption header, and crypt_method is " + cryptMethod
                  : ": no pointer to the encryption header, and crypt_method is LUKS"));
    }
    ByteBuffer none = ByteBuffer.allocate(2 * Long.BYTES);
    ByteBuffer pointer = found.map(HeaderExtension::data).orElse(none);
    if (pointer.remaining() != none.remaining()) {
      throw new CorruptImageException(
          name + ": a pointer to the encryption header of " + pointer.remaining() + " bytes");
    }
    return pointer;
  }

  private void checkLuks(HostFile file) throws IOException {
    if (cryptMethod == Luks.METHOD
        && (luksOffset <= 0
            || luksOffset % clusterSize() != 0
            || luksLength <= 0
            || luksLength > file.size() - luksOffset)) {
      throw new CorruptImageException(
          file.name()
              + ": an encryption header of "
              + luksLength
              + " bytes at offset "
              + luksOffset);
    }
  }

  private String featureNames(long bits) {
    HeaderExtension names =
        extension(HeaderExtension.FEATURE_NAMES).orElseGet(HeaderExtension::featureNames);
    List<String> found = new ArrayList<>();
    for (int bit = 0; bit < Long.SIZE; bit++) {
      if ((bits >>> bit & 1) != 0) {
        found.add(names.featureName(Feature.INCOMPATIBLE, bit));
      }
    }
    return String.join(", ", found);
  }

  private void checkPlace(HostFile file, Struct.U64 field, long offset, long bytes)
      throws IOException {
    boolean isMissing = offset == 0 && bytes > 0;
    if (isMissing || offset < 0 || offset % clusterSize() != 0 || offset > Long.MAX_VALUE - bytes) {
      throw wrong(file.name(), field, Long.toUnsignedString(offset));
    }
  }

  private void checkTable(HostFile file, Struct.U64 field, long offset, long bytes)
      throws IOException {
    checkPlace(file, field, offset, bytes);
    if (bytes > file.size() - offset && bytes > 0) {
      throw new CorruptImageException(
          file.name()
              + ": "
              + field.name()
              + " at offset "
              + field.offset()
              + ": "
              + bytes
              + " bytes at "
              + offset
              + " are past the end");
    }
  }

  private String backingName(ByteBuffer raw, HostFile file) throws IOException {
    long offset = BACKING_FILE_OFFSET.get(raw, 0);
    long bytes = BACKING_FILE_SIZE.get(raw, 0);
    if (bytes > MAX_BACKING_NAME || bytes > clusterSize() - offset) {
      throw wrong(file.name(), BACKING_FILE_SIZE, bytes);
    }
    ByteBuffer text = ByteBuffer.allocate((int) bytes);
    file.readFully(text, offset);
    return new String(text.array(), StandardCharsets.UTF_8);
  }

  private static CorruptImageException wrong(String file, Struct.Field field, Object value) {
    return new CorruptImageException(
        file + ": " + field.name() + " at offset " + field.offset() + " is " + value);
  }
}
