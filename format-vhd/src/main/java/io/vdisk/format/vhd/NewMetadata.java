package io.vdisk.format.vhd;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Header, block allocation table, batmap and names of the parent, one behind the other from a place
 * in the file on. Immutable.
 */
final class NewMetadata {
  private static final int SECTOR = Structures.SECTOR;
  private static final int PIECE = 1 << 20;

  private final Structures source;
  private final DynamicDiskHeader header;
  private final Optional<BatmapHeader> batmap;
  private final ByteBuffer names;
  private final long base;
  private final long namesOffset;
  private final long virtualSize;

  /**
   * Metadata.
   *
   * @param source the metadata that is valid now, from which entries and bits are taken
   * @param wanted the header; offsets in it are not looked at
   * @param names of the locators that are used, each in whole sectors
   * @param base where the header goes
   * @param virtualSize bytes of the disk
   */
  NewMetadata(
      Structures source, DynamicDiskHeader wanted, ByteBuffer names, long base, long virtualSize) {
    this.source = source;
    this.names = names.asReadOnlyBuffer();
    this.base = base;
    this.virtualSize = virtualSize;
    long entries = wanted.maxTableEntries();
    long tableOffset = base + DynamicDiskHeader.BYTES;
    long tableEnd = tableOffset + Structures.roundUp(entries * Integer.BYTES, SECTOR);
    this.batmap = source.batmap().map(map -> map.movedTo(tableEnd, entries));
    this.namesOffset = batmap.map(map -> map.mapOffset() + map.mapBytes()).orElse(tableEnd);
    this.header = wanted.withTableAt(tableOffset).withLocators(located(wanted));
  }

  private List<ParentLocator> located(DynamicDiskHeader wanted) {
    List<ParentLocator> locators = new ArrayList<>();
    long at = namesOffset;
    for (ParentLocator locator : wanted.locators()) {
      if (locator.isUsed()) {
        long space = Structures.roundUp(Math.max(1, locator.dataLength()), SECTOR);
        locators.add(new ParentLocator(locator.code(), space, locator.dataLength(), at));
        at += space;
      }
    }
    return locators;
  }

  /** Bytes of all. */
  long length() {
    return namesOffset + names.remaining() - base;
  }

  /** Writes all; the valid metadata must not lie there. */
  void write() throws IOException {
    HostFile file = source.file();
    writeTable(file);
    if (batmap.isPresent()) {
      ByteBuffer bits = bits(batmap.get());
      file.write(bits.duplicate(), batmap.get().mapOffset());
      BatmapHeader summed = batmap.get().withChecksum(bits, virtualSize);
      file.write(summed.bytes(), summed.headerOffset());
    }
    if (names.hasRemaining()) {
      file.write(names.duplicate(), namesOffset);
    }
    file.write(header.bytes(), base);
  }

  /** Entries of blocks that the disk has not now are unused. */
  private void writeTable(HostFile file) throws IOException {
    long kept = Math.min(source.blocks(), header.maxTableEntries()) * Integer.BYTES;
    long length = Structures.roundUp(header.maxTableEntries() * Integer.BYTES, SECTOR);
    ByteBuffer piece = ByteBuffer.allocate((int) Math.min(PIECE, length));
    for (long done = 0; done < length; done += piece.limit()) {
      piece.clear().limit((int) Math.min(piece.capacity(), length - done));
      long here = Math.max(0, Math.min(piece.limit(), kept - done));
      if (here > 0) {
        ByteBuffer old = piece.duplicate().limit((int) here);
        file.readFully(old, source.header().tableOffset() + done);
      }
      for (int i = (int) here; i < piece.limit(); i++) {
        piece.put(i, (byte) 0xff);
      }
      file.write(piece.duplicate(), header.tableOffset() + done);
    }
  }

  /** The bits as they are, as far as there is room; none where their checksum is wrong. */
  private ByteBuffer bits(BatmapHeader target) throws IOException {
    ByteBuffer bits = ByteBuffer.allocate((int) target.mapBytes());
    BatmapHeader old = source.batmap().orElseThrow();
    ByteBuffer now = Batmap.readBits(source.file(), old);
    if (old.hasRightChecksum(now, source.virtualSize())) {
      bits.put(now.limit(Math.min(now.limit(), bits.capacity())));
    }
    return bits.clear();
  }
}
