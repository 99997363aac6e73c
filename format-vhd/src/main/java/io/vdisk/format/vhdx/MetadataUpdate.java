package io.vdisk.format.vhdx;

import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Changes of bytes anywhere in the metadata, made at once through the log: whole sectors of 4 KiB,
 * of which only some bytes are new. One thread, alone on the image.
 */
final class MetadataUpdate {
  private final VhdxImage image;
  private final HostFile file;

  /** Sectors as they will be, by their places. */
  private final Map<Long, ByteBuffer> sectors = new TreeMap<>();

  MetadataUpdate(VhdxImage image) {
    this.image = image;
    this.file = image.file();
  }

  /** Puts bytes at a place in the file. */
  MetadataUpdate put(long offset, ByteBuffer bytes) throws IOException {
    ByteBuffer source = bytes.duplicate();
    for (long at = offset; source.hasRemaining(); ) {
      long sector = at & -LogEntry.SECTOR;
      ByteBuffer target = sector(sector);
      int from = (int) (at - sector);
      int length = Math.min(source.remaining(), LogEntry.SECTOR - from);
      target.put(from, source, source.position(), length);
      source.position(source.position() + length);
      at += length;
    }
    return this;
  }

  private ByteBuffer sector(long offset) throws IOException {
    ByteBuffer known = sectors.get(offset);
    if (known == null) {
      known = ByteBuffer.allocate(LogEntry.SECTOR);
      file.readPadded(known, offset);
      sectors.put(offset, known);
    }
    return known;
  }

  /** Replaces the bytes of an item that is there and as long. */
  MetadataUpdate replace(Guid id, ByteBuffer value) throws IOException {
    VhdxStructure structure = image.structure();
    MetadataTable.Item item = structure.metadata().find(id).orElseThrow();
    return put(structure.metadataRegion().offset() + item.offset(), value);
  }

  /** Puts an item where nothing lies, and writes the table that names it. */
  MetadataUpdate add(MetadataTable table, Guid id, ByteBuffer value, long flags)
      throws IOException {
    VhdxStructure structure = image.structure();
    long offset = place(table, id, value.remaining());
    put(structure.metadataRegion().offset() + offset, value);
    MetadataTable.Item item = new MetadataTable.Item(id, offset, value.remaining(), flags);
    return put(structure.metadataRegion().offset(), used(table.with(item)));
  }

  /**
   * Room for an item: first behind all others; otherwise where the one of the same name lies not,
   * among the others.
   */
  private long place(MetadataTable table, Guid id, int length) throws IOException {
    long region = image.structure().metadataRegion().length();
    long end = table.end(LogEntry.SECTOR);
    if (end + length <= region) {
      return end;
    }
    List<MetadataTable.Item> others = new ArrayList<>(table.items());
    for (long at = MetadataTable.BYTES; at + length <= region; at += LogEntry.SECTOR) {
      long from = at;
      Optional<MetadataTable.Item> hit =
          others.stream()
              .filter(item -> item.offset() < from + length && from < item.end())
              .findFirst();
      if (hit.isEmpty()) {
        return at;
      }
    }
    throw new UnsupportedImageException(
        file.name() + ": the metadata region has no room for item " + id);
  }

  /** The sectors of a table that have entries, and one more: what a removed entry left is old. */
  private static ByteBuffer used(MetadataTable table) {
    int bytes = MetadataTable.HEADER.size() + (table.items().size() + 1) * 32;
    int whole = (bytes + LogEntry.SECTOR - 1) & -LogEntry.SECTOR;
    return table.encode().limit(Math.min(whole, MetadataTable.BYTES));
  }

  /** Writes the table without an item. */
  MetadataUpdate table(MetadataTable table) throws IOException {
    return put(image.structure().metadataRegion().offset(), used(table));
  }

  /** Makes all of it durable at once. */
  void write() throws IOException {
    if (sectors.isEmpty()) {
      return;
    }
    if (sectors.size() > image.log().capacity()) {
      throw new UnsupportedImageException(
          file.name() + ": the log has no room for " + sectors.size() + " sectors at once");
    }
    image.beforeChange();
    List<LogEntry.Update> updates = new ArrayList<>();
    sectors.forEach((offset, bytes) -> updates.add(new LogEntry.Update(offset, bytes.rewind())));
    image.log().update(updates);
    sectors.clear();
  }

  /** Makes what there is durable, if the log might not take much more. */
  void writeIfLarge() throws IOException {
    if (isLarge()) {
      write();
    }
  }

  /** Whether the log might not take much more. */
  boolean isLarge() {
    return sectors.size() >= image.log().capacity() - 1;
  }
}
