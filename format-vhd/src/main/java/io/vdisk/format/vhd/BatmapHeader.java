package io.vdisk.format.vhd;

import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * The header of Xen's batmap, big-endian, in the sector behind the block allocation table: a bit
 * for each block tells that all its sectors are there. It also carries a marker and the hash of the
 * key of an encrypted disk. There is no specification beyond Xen's blktap.
 *
 * <p>Immutable. What is not known here is kept as it was.
 */
final class BatmapHeader {
  static final Struct STRUCT = Struct.bigEndian("batmap header");
  private static final Struct.Bytes COOKIE = STRUCT.bytes("cookie", 8);
  private static final Struct.U64 BATMAP_OFFSET = STRUCT.u64("batmap_offset");
  private static final Struct.U32 BATMAP_SIZE = STRUCT.u32("batmap_size");
  private static final Struct.U32 BATMAP_VERSION = STRUCT.u32("batmap_version");
  private static final Struct.U32 CHECKSUM = STRUCT.u32("checksum");
  private static final Struct.U8 MARKER = STRUCT.u8("marker");
  private static final Struct.U8 KEYHASH_COOKIE = STRUCT.u8("keyhash.cookie");
  private static final Struct.Bytes KEYHASH_NONCE = STRUCT.bytes("keyhash.nonce", 32);
  private static final Struct.Bytes KEYHASH_HASH = STRUCT.bytes("keyhash.hash", 32);
  static final Struct.Bytes PADDING = STRUCT.bytes("pad", 418);

  static {
    STRUCT.end(512);
  }

  static final int BYTES = 512;

  private static final byte[] TDBATMAP = "tdbatmap".getBytes(StandardCharsets.US_ASCII);
  private static final long VERSION_1_1 = 0x0001_0001;
  private static final long VERSION_1_2 = 0x0001_0002;

  /** Sectors of a batmap: more than any table has blocks for. */
  private static final long MAX_SECTORS = Structures.MAX_ENTRIES / 8 / 512;

  private final long headerOffset;
  private final ByteBuffer bytes;

  private BatmapHeader(long headerOffset, ByteBuffer bytes) {
    this.headerOffset = headerOffset;
    this.bytes = bytes;
  }

  /** The batmap that a disk has, if its cookie is there. */
  static Optional<BatmapHeader> find(HostFile file, HardDiskFooter footer, DynamicDiskHeader header)
      throws IOException {
    Creator creator = footer.creator();
    if (!creator.hasBatmap() && !creator.mayHaveBatmap()) {
      return Optional.empty();
    }
    long table = header.tableOffset();
    if (table < 0 || table > file.size()) {
      return Optional.empty();
    }
    long offset = headerOffset(header);
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    if (file.read(bytes, offset) < BYTES) {
      return Optional.empty();
    }
    BatmapHeader found = new BatmapHeader(offset, bytes.clear());
    return found.isSound(file) ? Optional.of(found) : Optional.empty();
  }

  /** Where the batmap's header of a disk belongs. */
  static long headerOffset(DynamicDiskHeader header) {
    return header.tableOffset()
        + Structures.roundUp(header.maxTableEntries() * Integer.BYTES, Structures.SECTOR);
  }

  /** The header of a new batmap right behind it, for so many blocks; none of them is full. */
  static BatmapHeader create(long headerOffset, long blocks) {
    ByteBuffer fresh = ByteBuffer.allocate(BYTES);
    COOKIE.put(fresh, 0, TDBATMAP);
    BATMAP_OFFSET.put(fresh, 0, headerOffset + BYTES);
    BATMAP_SIZE.put(fresh, 0, Math.max(1, ((blocks + 7) / 8 + 511) / 512));
    BATMAP_VERSION.put(fresh, 0, VERSION_1_2);
    return new BatmapHeader(headerOffset, fresh);
  }

  private boolean isSound(HostFile file) throws IOException {
    long version = BATMAP_VERSION.get(bytes, 0);
    return Arrays.equals(COOKIE.get(bytes, 0), TDBATMAP)
        && (version == VERSION_1_1 || version == VERSION_1_2)
        && mapOffset() > 0
        && mapOffset() % Structures.SECTOR == 0
        && BATMAP_SIZE.get(bytes, 0) <= MAX_SECTORS
        && mapOffset() <= file.size() - mapBytes();
  }

  /** Where the header lies. */
  long headerOffset() {
    return headerOffset;
  }

  /** Where the bits lie. */
  long mapOffset() {
    return BATMAP_OFFSET.get(bytes, 0);
  }

  /** Bytes of the bits: whole sectors. */
  long mapBytes() {
    return BATMAP_SIZE.get(bytes, 0) * Structures.SECTOR;
  }

  /** Xen's mark, of which it makes no use itself. */
  int marker() {
    return MARKER.get(bytes, 0);
  }

  /** The hash of the key; empty if the disk is not encrypted. */
  Optional<KeyHash> keyHash() {
    return KEYHASH_COOKIE.get(bytes, 0) == 1
        ? Optional.of(new KeyHash(KEYHASH_NONCE.get(bytes, 0), KEYHASH_HASH.get(bytes, 0)))
        : Optional.empty();
  }

  /** Whether the checksum is that of these bits. */
  boolean hasRightChecksum(ByteBuffer map, long virtualSize) {
    long recorded = CHECKSUM.get(bytes, 0);
    return recorded == checksum(map, virtualSize);
  }

  /** Version 1.1 took the bytes for signed numbers. */
  private long checksum(ByteBuffer map, long virtualSize) {
    int length = (int) Math.min(map.limit(), summedBytes(virtualSize));
    if (BATMAP_VERSION.get(bytes, 0) != VERSION_1_1) {
      return ~ChecksumField.sum(map, 0, length) & 0xffff_ffffL;
    }
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += map.get(i);
    }
    return ~sum & 0xffff_ffffL;
  }

  /** Of the bits only these are summed: a bit for each 2 MiB, in whole sectors. */
  private static long summedBytes(long virtualSize) {
    return Math.max(1, ((virtualSize >>> 24) + 511) / 512) * 512;
  }

  /** The same with the checksum of these bits. */
  BatmapHeader withChecksum(ByteBuffer map, long virtualSize) {
    ByteBuffer copy = copy();
    BATMAP_VERSION.put(copy, 0, VERSION_1_2);
    BatmapHeader header = new BatmapHeader(headerOffset, copy);
    CHECKSUM.put(copy, 0, header.checksum(map, virtualSize));
    return header;
  }

  /** The same with another marker. */
  BatmapHeader withMarker(int marker) {
    ByteBuffer copy = copy();
    MARKER.put(copy, 0, marker);
    return new BatmapHeader(headerOffset, copy);
  }

  /** The same of a disk that is encrypted. */
  BatmapHeader withKeyHash(KeyHash hash) {
    ByteBuffer copy = copy();
    KEYHASH_COOKIE.put(copy, 0, 1);
    KEYHASH_NONCE.put(copy, 0, hash.nonce());
    KEYHASH_HASH.put(copy, 0, hash.hash());
    return new BatmapHeader(headerOffset, copy);
  }

  /** The same behind another table, with room for so many blocks. */
  BatmapHeader movedTo(long newHeaderOffset, long blocks) {
    ByteBuffer copy = copy();
    ByteBuffer fresh = create(newHeaderOffset, blocks).bytes;
    BATMAP_OFFSET.put(copy, 0, BATMAP_OFFSET.get(fresh, 0));
    BATMAP_SIZE.put(copy, 0, BATMAP_SIZE.get(fresh, 0));
    return new BatmapHeader(newHeaderOffset, copy);
  }

  private ByteBuffer copy() {
    return ByteBuffer.allocate(BYTES).put(bytes.duplicate()).clear();
  }

  /** The bytes as they go to disk; read-only. */
  ByteBuffer bytes() {
    return bytes.asReadOnlyBuffer();
  }
}
