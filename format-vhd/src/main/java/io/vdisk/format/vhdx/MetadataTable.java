package io.vdisk.format.vhdx;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The metadata table: the first 64 KiB of the metadata region, a header and entries of 32 bytes
 * each, that say where in the region the items lie. Little-endian. Source: [MS-VHDX] 2.6.1.
 *
 * @param items in the table's order
 */
record MetadataTable(List<Item> items) {
  static final Struct HEADER = Struct.littleEndian("VHDX metadata table header");
  static final Struct.U64 SIGNATURE = HEADER.u64("Signature"); // "metadata"
  private static final Struct.U16 RESERVED = HEADER.u16("Reserved");
  static final Struct.U16 ENTRY_COUNT = HEADER.u16("EntryCount");

  static {
    HEADER.bytes("Reserved2", 20);
    HEADER.end(32);
  }

  static final Struct ENTRY = Struct.littleEndian("VHDX metadata table entry");
  static final Struct.Bytes ITEM_ID = ENTRY.bytes("ItemId", Guid.BYTES);
  static final Struct.U32 OFFSET = ENTRY.u32("Offset");
  static final Struct.U32 LENGTH = ENTRY.u32("Length");
  static final Struct.U32 FLAGS = ENTRY.u32("Flags"); // IsUser, IsVirtualDisk, IsRequired

  static {
    ENTRY.u32("Reserved2");
    ENTRY.end(32);
  }

  static final Guid FILE_PARAMETERS = Guid.of("CAA16737-FA36-4D43-B3B6-33F0AA44E76B");
  static final Guid VIRTUAL_DISK_SIZE = Guid.of("2FA54224-CD1B-4876-B211-5DBED83BF4B8");
  static final Guid VIRTUAL_DISK_ID = Guid.of("BECA12AB-B2E6-4523-93EF-C309E000C746");
  static final Guid LOGICAL_SECTOR_SIZE = Guid.of("8141BF1D-A96F-4709-BA47-F233A8FAAB5F");
  static final Guid PHYSICAL_SECTOR_SIZE = Guid.of("CDA348C7-445D-4471-9CC9-E9885251C556");
  static final Guid PARENT_LOCATOR = Guid.of("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C");

  private static final Set<Guid> KNOWN =
      Set.of(
          FILE_PARAMETERS,
          VIRTUAL_DISK_SIZE,
          VIRTUAL_DISK_ID,
          LOGICAL_SECTOR_SIZE,
          PHYSICAL_SECTOR_SIZE,
          PARENT_LOCATOR);

  static final long IS_USER = 1;
  static final long IS_VIRTUAL_DISK = 2;
  static final long IS_REQUIRED = 4;

  /** Bytes of the table; items lie behind it. */
  static final int BYTES = 64 << 10;

  /** Source: [MS-VHDX] 2.6.1.1. */
  static final int MAX_ENTRIES = 2047;

  /** Most bytes of an item. Source: [MS-VHDX] 2.6.1.2. */
  static final int MAX_ITEM = 1 << 20;

  private static final long SIGNATURE_VALUE =
      ByteBuffer.wrap("metadata".getBytes(StandardCharsets.US_ASCII))
          .order(ByteOrder.LITTLE_ENDIAN)
          .getLong();

  /**
   * An item.
   *
   * @param id what it is
   * @param offset from the beginning of the region; 0: it is empty
   * @param length bytes
   * @param flags whose it is, and whether it must be known
   */
  record Item(Guid id, long offset, long length, long flags) {
    boolean isUsers() {
      return (flags & IS_USER) != 0;
    }

    long end() {
      return offset + length;
    }
  }

  /**
   * Reads the table of a region.
   *
   * @throws UnsupportedImageException if an item is required that is not known
   */
  static MetadataTable read(HostFile file, RegionTable.Region region) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    file.readPadded(bytes, region.offset());
    int count = ENTRY_COUNT.get(bytes, 0);
    if (SIGNATURE.get(bytes, 0) != SIGNATURE_VALUE || count > MAX_ENTRIES) {
      throw new CorruptImageException(
          file.name() + ": no metadata table at offset " + region.offset());
    }
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int base = HEADER.size() + i * ENTRY.size();
      items.add(
          new Item(
              Guid.of(ITEM_ID.get(bytes, base)),
              OFFSET.get(bytes, base),
              LENGTH.get(bytes, base),
              FLAGS.get(bytes, base)));
    }
    MetadataTable table = new MetadataTable(items);
    table.check(file, region.length());
    return table;
  }

  private void check(HostFile file, long regionLength) throws IOException {
    Set<Item> keys = new HashSet<>();
    for (Item item : items) {
      if (!keys.add(new Item(item.id, 0, 0, item.flags & IS_USER))) {
        throw new CorruptImageException(file.name() + ": metadata item " + item.id + " is twice");
      }
      if ((item.flags & IS_REQUIRED) != 0 && (item.isUsers() || !KNOWN.contains(item.id))) {
        throw new UnsupportedImageException(
            file.name() + ": metadata item " + item.id + " is required and unknown");
      }
      boolean isEmpty = item.length == 0 && item.offset == 0;
      if (!isEmpty
          && (item.offset < BYTES || item.length > MAX_ITEM || item.end() > regionLength)) {
        throw new CorruptImageException(
            file.name()
                + ": metadata item "
                + item.id
                + " has "
                + item.length
                + " bytes at "
                + item.offset
                + " of its region");
      }
    }
    checkOverlaps(file);
  }

  private void checkOverlaps(HostFile file) throws CorruptImageException {
    List<Item> sorted = new ArrayList<>(items);
    sorted.removeIf(item -> item.length == 0);
    sorted.sort(Comparator.comparingLong(Item::offset));
    for (int i = 1; i < sorted.size(); i++) {
      if (sorted.get(i).offset < sorted.get(i - 1).end()) {
        throw new CorruptImageException(
            file.name() + ": metadata item " + sorted.get(i).id + " overlaps another");
      }
    }
  }

  /** A system item, if it is there. */
  Optional<Item> find(Guid id) {
    return items.stream().filter(item -> item.id.equals(id) && !item.isUsers()).findFirst();
  }

  /**
   * The bytes of a system item that must be there.
   *
   * @param least how many there must be
   */
  ByteBuffer require(HostFile file, RegionTable.Region region, Guid id, int least, String what)
      throws IOException {
    Optional<Item> item = find(id);
    if (item.isEmpty() || item.get().length < least) {
      throw new CorruptImageException(file.name() + ": the metadata have no " + what);
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) item.get().length);
    try {
      file.readFully(bytes, region.offset() + item.get().offset);
    } catch (EOFException e) {
      throw new CorruptImageException(file.name() + ": " + what + " is past the end", e);
    }
    return bytes.flip().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The same with an item of this id there, alone. */
  MetadataTable with(Item item) {
    MetadataTable others = without(item.id);
    List<Item> all = new ArrayList<>(others.items);
    all.add(item);
    return new MetadataTable(all);
  }

  /** The same without a system item. */
  MetadataTable without(Guid id) {
    List<Item> all = new ArrayList<>(items);
    all.removeIf(item -> item.id.equals(id) && !item.isUsers());
    return new MetadataTable(all);
  }

  /** Where in the region nothing lies from on, a multiple of {@code alignment}. */
  long end(int alignment) {
    long end = BYTES;
    for (Item item : items) {
      end = Math.max(end, item.end());
    }
    return (end + alignment - 1) & -alignment;
  }

  /** Its 64 KiB. */
  ByteBuffer encode() {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    SIGNATURE.put(bytes, 0, SIGNATURE_VALUE);
    RESERVED.put(bytes, 0, 0);
    ENTRY_COUNT.put(bytes, 0, items.size());
    for (int i = 0; i < items.size(); i++) {
      int base = HEADER.size() + i * ENTRY.size();
      Item item = items.get(i);
      ITEM_ID.put(bytes, base, item.id.bytes());
      OFFSET.put(bytes, base, item.offset);
      LENGTH.put(bytes, base, item.length);
      FLAGS.put(bytes, base, item.flags);
    }
    return bytes;
  }
}
