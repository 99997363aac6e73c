package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.format.qcow2.Refcounts.Space;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Bitmaps as they lie in the image: their tables, their data, their directory. Used alone. */
final class BitmapFile {
  private final Metadata metadata;

  BitmapFile(Metadata metadata) {
    this.metadata = metadata;
  }

  private int clusterSize() {
    return metadata.header().clusterSize();
  }

  /** Reads a bitmap. */
  BitmapBits read(BitmapEntry entry) throws IOException {
    return read(entry, metadata.header().virtualSize);
  }

  private BitmapBits read(BitmapEntry entry, long virtualSize) throws IOException {
    BitmapBits bits = new BitmapBits(virtualSize, entry.granularityBits());
    long[] table = entry.readTable(metadata.file, metadata.header());
    for (int i = 0; i < table.length; i++) {
      BitmapTableEntry named = new BitmapTableEntry(table[i]);
      if (named.isAllOnes()) {
        bits.fill(i, clusterSize());
      } else if (named.offset() != 0) {
        ByteBuffer data = ByteBuffer.allocate(clusterSize());
        metadata.file.readPadded(data, named.offset());
        bits.put(i, data.flip());
      }
    }
    return bits;
  }

  /**
   * Writes a bitmap into new clusters; nothing names them yet.
   *
   * @return its entry, with its new table
   */
  BitmapEntry write(BitmapEntry entry, BitmapBits bits, long virtualSize) throws IOException {
    int entries =
        Math.toIntExact(
            Math.max(
                1, BitmapEntry.entriesNeeded(virtualSize, entry.granularityBits(), clusterSize())));
    ByteBuffer table = ByteBuffer.allocate(entries * Long.BYTES);
    for (int i = 0; i < entries; i++) {
      ByteBuffer data = ByteBuffer.allocate(clusterSize());
      int kind = bits.get(i, data);
      if (kind > 0) {
        Space space = metadata.refcounts().takeRun(clusterSize());
        metadata.file.write(data.flip(), space.offset());
        table.putLong(BitmapTableEntry.at(space.offset()).raw());
      } else {
        table.putLong(BitmapTableEntry.uniform(kind < 0).raw());
      }
    }
    Space space = metadata.refcounts().takeRun(table.capacity());
    metadata.file.write(table.flip(), space.offset());
    return entry.withTable(space.offset(), entries);
  }

  /**
   * Writes a bitmap over what it was, in place where it can. The caller has marked it in use.
   *
   * @param entry what it was; its table stays where it is
   */
  void overwrite(BitmapEntry entry, BitmapBits bits) throws IOException {
    checkTable(entry);
    long[] table = entry.readTable(metadata.file, metadata.header());
    for (int i = 0; i < table.length; i++) {
      ByteBuffer data = ByteBuffer.allocate(clusterSize());
      int kind = bits.get(i, data);
      long offset = new BitmapTableEntry(table[i]).offset();
      if (offset != 0 && isOwn(offset)) {
        metadata.file.write(data.flip(), offset);
      } else if (kind > 0) {
        Space space = metadata.refcounts().takeRun(clusterSize());
        metadata.file.write(data.flip(), space.offset());
        table[i] = BitmapTableEntry.at(space.offset()).raw();
      } else {
        table[i] = BitmapTableEntry.uniform(kind < 0).raw();
      }
    }
    metadata.writeBack.run(); // counted before the table names it
    ByteBuffer bytes = ByteBuffer.allocate(table.length * Long.BYTES);
    bytes.asLongBuffer().put(table);
    metadata.file.write(bytes, entry.tableOffset());
  }

  /** Sees that the directory, whose flags are changed in place, is nothing else. */
  void checkDirectory() throws IOException {
    long offset = metadata.header().bitmaps.orElseThrow().directoryOffset();
    if (!metadata.map().isOnly(MetadataMap.Kind.BITMAP_DIRECTORY, offset)) {
      throw new OverlapException(
          metadata.file.name()
              + ": the bitmap directory at offset "
              + offset
              + " is other metadata, too");
    }
  }

  /** Sees that the table of a bitmap, which is written in place, is nothing else. */
  void checkTable(BitmapEntry entry) throws IOException {
    if (metadata.map().isHit(entry.tableOffset(), entry.tableBytes())) {
      throw new OverlapException(
          metadata.file.name()
              + ": the table of bitmap "
              + entry.name()
              + " at offset "
              + entry.tableOffset()
              + " is other metadata, too");
    }
  }

  /** Whether a cluster that a bitmap's table names is the bitmap's alone, as the counts say. */
  private boolean isOwn(long offset) throws IOException {
    long cluster = offset >>> metadata.header().clusterBits;
    return !metadata.map().isHit(offset, clusterSize())
        && metadata.cache.locked(hold -> metadata.refcounts().count(hold, cluster)) == 1;
  }

  /** The space of a bitmap's data and table is free; nothing names them any longer. */
  private void free(BitmapEntry entry) throws IOException {
    for (long word : entry.readTable(metadata.file, metadata.header())) {
      long offset = new BitmapTableEntry(word).offset();
      if (offset != 0 && !metadata.map().isHit(offset, clusterSize())) {
        metadata.refcounts().free(offset, clusterSize());
      }
    }
    checkTable(entry);
    metadata.refcounts().free(entry.tableOffset(), entry.tableBytes());
  }

  private void freeIfKnown(BitmapEntry entry) throws IOException {
    try {
      free(entry);
    } catch (CorruptImageException e) {
      // Nobody can tell what its table names. That stays counted: a leak, which a check finds.
    }
  }

  /**
   * Lets the header name another directory, in one step with whatever else {@code update} changes;
   * then frees what only the old one named.
   */
  void replace(BitmapDirectory old, List<BitmapEntry> entries, HeaderUpdate update)
      throws IOException {
    Qcow2Header header = metadata.header();
    long autoclear = header.autoclear & ~HeaderExtension.Feature.BITMAPS.mask();
    if (entries.isEmpty()) {
      update.remove(HeaderExtension.BITMAPS);
    } else {
      BitmapDirectory directory = new BitmapDirectory(entries);
      ByteBuffer bytes = directory.encode(metadata.file.name());
      Space space = metadata.refcounts().takeRun(bytes.remaining());
      metadata.file.write(bytes, space.offset());
      update.put(directory.extension(space.offset()).encode());
      autoclear |= HeaderExtension.Feature.BITMAPS.mask();
    }
    if (header.version >= 3) {
      update.set(Qcow2Header.AUTOCLEAR_FEATURES, autoclear);
    }
    metadata.writeBack.run();
    update.write();
    for (BitmapEntry gone : gone(old.entries(), entries)) {
      freeIfKnown(gone);
    }
    if (header.bitmaps.isPresent()) {
      BitmapsExtension named = header.bitmaps.get();
      metadata.refcounts().free(named.directoryOffset(), named.directorySize());
    }
  }

  /** Those of the old ones whose table is nobody's any longer. */
  private static List<BitmapEntry> gone(List<BitmapEntry> old, List<BitmapEntry> now) {
    List<BitmapEntry> gone = new ArrayList<>();
    for (BitmapEntry entry : old) {
      boolean isKept = false;
      for (BitmapEntry other : now) {
        isKept |= other.tableOffset() == entry.tableOffset();
      }
      if (!isKept) {
        gone.add(entry);
      }
    }
    return gone;
  }

  /** Changes the flags of entries where they lie in the directory; four bytes each. Durable. */
  void setFlags(BitmapDirectory directory, List<BitmapEntry> changed) throws IOException {
    long at = metadata.header().bitmaps.orElseThrow().directoryOffset();
    for (BitmapEntry entry : directory.entries()) {
      for (BitmapEntry other : changed) {
        if (other.name().equals(entry.name()) && other.flags() != entry.flags()) {
          ByteBuffer flags = ByteBuffer.allocate(Integer.BYTES).putInt(other.flags()).flip();
          metadata.file.write(flags, at + BitmapEntry.FLAGS_OFFSET);
        }
      }
      at += entry.encodedBytes();
    }
    metadata.file.flush();
  }
}
