package io.vdisk.format.vhdx;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The region table: where block allocation table and metadata lie. Two equal copies of 64 KiB at
 * 192 and 256 KiB; a header of 16 bytes, then entries of 32. Little-endian. Source: [MS-VHDX]
 * 2.2.3.
 *
 * @param regions in the table's order
 * @param oddities what a check warns of: a copy that is damaged or differs
 */
record RegionTable(List<Region> regions, List<String> oddities) {
  static final Struct HEADER = Struct.littleEndian("VHDX region table header");
  static final Struct.U32 SIGNATURE = HEADER.u32("Signature"); // "regi"
  static final Struct.U32 CHECKSUM = HEADER.u32("Checksum");
  static final Struct.U32 ENTRY_COUNT = HEADER.u32("EntryCount");

  static {
    HEADER.u32("Reserved");
    HEADER.end(16);
  }

  static final Struct ENTRY = Struct.littleEndian("VHDX region table entry");
  static final Struct.Bytes GUID = ENTRY.bytes("Guid", Guid.BYTES);
  static final Struct.U64 FILE_OFFSET = ENTRY.u64("FileOffset");
  static final Struct.U32 LENGTH = ENTRY.u32("Length");
  static final Struct.U32 REQUIRED = ENTRY.u32("Required"); // bit 0

  static {
    ENTRY.end(32);
  }

  static final Guid BAT = Guid.of("2DC27766-F623-4200-9D64-115E9BFD4A08");
  static final Guid METADATA = Guid.of("8B7CA206-4790-4B9A-B8FE-575F050F886E");

  static final long FIRST = 192 << 10;
  static final long SECOND = 256 << 10;
  static final int BYTES = 64 << 10;

  /** Source: [MS-VHDX] 2.2.3.1. */
  static final int MAX_ENTRIES = 2047;

  private static final long SIGNATURE_VALUE = 0x6967_6572L;

  /**
   * A region.
   *
   * @param guid what it is
   * @param offset where it begins, a multiple of 1 MiB
   * @param length bytes, a multiple of 1 MiB
   * @param required who does not know it may not open the file
   */
  record Region(Guid guid, long offset, long length, boolean required) {}

  /**
   * Reads the first copy that is valid.
   *
   * @param ranges takes the regions
   * @throws UnsupportedImageException if a region is required that is not known
   */
  static RegionTable read(HostFile file, FileRanges ranges) throws IOException {
    ByteBuffer first = bytes(file, FIRST);
    ByteBuffer second = bytes(file, SECOND);
    List<String> oddities = new ArrayList<>();
    if (!isValid(first)) {
      oddities.add("the region table at 196608 is damaged");
    }
    if (!isValid(second)) {
      oddities.add("the region table at 262144 is damaged");
    }
    if (oddities.size() == 2) {
      throw new CorruptImageException(file.name() + ": neither region table is valid");
    }
    RegionTable table = decode(isValid(first) ? first : second, oddities);
    if (oddities.isEmpty() && !table.regions.equals(decode(second, oddities).regions)) {
      oddities.add("the region tables differ");
    }
    table.check(file, ranges);
    return table;
  }

  private static ByteBuffer bytes(HostFile file, long place) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    file.readPadded(bytes, place);
    return bytes.flip();
  }

  private static boolean isValid(ByteBuffer bytes) {
    return SIGNATURE.get(bytes, 0) == SIGNATURE_VALUE
        && CHECKSUM.get(bytes, 0) == Crc.of(bytes, CHECKSUM)
        && ENTRY_COUNT.get(bytes, 0) <= MAX_ENTRIES;
  }

  private static RegionTable decode(ByteBuffer bytes, List<String> oddities) {
    List<Region> regions = new ArrayList<>();
    for (int i = 0; i < ENTRY_COUNT.get(bytes, 0); i++) {
      int base = HEADER.size() + i * ENTRY.size();
      regions.add(
          new Region(
              Guid.of(GUID.get(bytes, base)),
              FILE_OFFSET.get(bytes, base),
              LENGTH.get(bytes, base),
              (REQUIRED.get(bytes, base) & 1) != 0));
    }
    return new RegionTable(regions, oddities);
  }

  private void check(HostFile file, FileRanges ranges) throws IOException {
    Set<Guid> seen = new HashSet<>();
    for (Region region : regions) {
      if (!seen.add(region.guid)) {
        throw new CorruptImageException(
            file.name() + ": region " + region.guid + " is in the region table twice");
      }
      boolean isKnown = region.guid.equals(BAT) || region.guid.equals(METADATA);
      if (region.required && !isKnown) {
        throw new UnsupportedImageException(
            file.name() + ": region " + region.guid + " is required and unknown");
      }
      if (!FileRanges.isPlace(region.offset)
          || region.length == 0
          || region.length % FileRanges.MIB != 0) {
        throw new CorruptImageException(
            file.name()
                + ": region "
                + region.guid
                + " has "
                + region.length
                + " bytes at "
                + Long.toUnsignedString(region.offset));
      }
      ranges.add("region " + region.guid, region.offset, region.length);
    }
  }

  /** A known region. */
  Region require(Guid guid, String what, HostFile file) throws CorruptImageException {
    Optional<Region> found = regions.stream().filter(r -> r.guid.equals(guid)).findFirst();
    return found.orElseThrow(
        () -> new CorruptImageException(file.name() + ": there is no region for the " + what));
  }

  /** The same with the region of a GUID elsewhere. */
  RegionTable with(Region moved) {
    List<Region> all = new ArrayList<>(regions);
    all.replaceAll(region -> region.guid.equals(moved.guid) ? moved : region);
    return new RegionTable(all, oddities);
  }

  /** One copy. */
  ByteBuffer encode() {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    SIGNATURE.put(bytes, 0, SIGNATURE_VALUE);
    ENTRY_COUNT.put(bytes, 0, regions.size());
    for (int i = 0; i < regions.size(); i++) {
      int base = HEADER.size() + i * ENTRY.size();
      Region region = regions.get(i);
      GUID.put(bytes, base, region.guid.bytes());
      FILE_OFFSET.put(bytes, base, region.offset);
      LENGTH.put(bytes, base, region.length);
      REQUIRED.put(bytes, base, region.required ? 1 : 0);
    }
    CHECKSUM.put(bytes, 0, Crc.of(bytes, CHECKSUM));
    return bytes;
  }
}
