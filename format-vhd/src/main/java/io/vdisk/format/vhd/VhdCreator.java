package io.vdisk.format.vhd;

import io.vdisk.CreateOptions;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import io.vdisk.spi.CreateContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * Makes an image without a block: header, tables and names first, and when they are durable the
 * footers, without which nobody takes the file for a disk. Used once.
 */
final class VhdCreator {
  private static final int SECTOR = Structures.SECTOR;
  private static final int STEP = 1 << 20;

  private final HostFile file;
  private final CreateOptions options;
  private final CreateContext context;
  private final VhdOptions said;

  VhdCreator(HostFile file, CreateOptions options, CreateContext context) {
    this.file = file;
    this.options = options;
    this.context = context;
    this.said = new VhdOptions(options);
  }

  /** Makes the image in an empty file, or over what a block device held. */
  void create() throws IOException {
    Optional<ImageInfo> parentInfo = lookAtParent();
    long wanted =
        options
            .virtualSize()
            .or(() -> parentInfo.map(ImageInfo::virtualSize))
            .orElseThrow(() -> new IllegalArgumentException("a VHD needs a size"));
    long size = said.size(wanted, file.name());
    context.limits().checkVirtualSize(size, file.name());
    HardDiskFooter footer = said.footer(size);
    if (said.type == DiskType.FIXED) {
      createFixed(footer, size);
    } else {
      createSparse(footer, size, parentInfo);
    }
  }

  /** Looks at the parent for what must be known of it: its id, and the size if none was said. */
  private Optional<ImageInfo> lookAtParent() throws IOException {
    if (options.backingName().isEmpty()) {
      return Optional.empty();
    }
    boolean isRaw = options.backingFormat().orElse("").equals("raw");
    if (isRaw && options.virtualSize().isPresent()) {
      return Optional.empty();
    }
    if (options.isWithoutOpeningBacking()) {
      throw new UnsupportedImageException(
          file.name() + ": a differencing VHD has its parent's id, so that must be looked at");
    }
    Reference reference =
        new Reference(
            Reference.Kind.BACKING,
            options.backingName().get(),
            options.backingFormat(),
            file,
            false);
    return Optional.of(context.backingInfo(reference));
  }

  private void createFixed(HardDiskFooter footer, long size) throws IOException {
    long footerOffset = size;
    if (file.size() == 0) {
      file.resize(size);
    } else {
      footerOffset = deviceFooter(size);
      writeZeroes(0, size);
    }
    sync();
    file.write(footer.bytes(), footerOffset);
  }

  /** Where the footer lies on a device that has room for so many bytes before it. */
  private long deviceFooter(long bytes) throws IOException {
    long offset = file.size() - HardDiskFooter.BYTES;
    if (bytes > offset) {
      throw new UnsupportedImageException(
          file.name() + ": has only " + file.size() + " bytes, and needs more for this disk");
    }
    return offset;
  }

  private void createSparse(HardDiskFooter footer, long size, Optional<ImageInfo> parentInfo)
      throws IOException {
    long entries = said.entries(size);
    long tableOffset = HardDiskFooter.BYTES + DynamicDiskHeader.BYTES;
    DynamicDiskHeader header = DynamicDiskHeader.create(tableOffset, entries, said.blockSize);
    if (entries > Structures.MAX_ENTRIES) {
      throw new UnsupportedImageException(
          file.name() + ": " + entries + " blocks are too many; a larger block_size makes fewer");
    }
    context.limits().checkTable("block allocation table", entries * Integer.BYTES, file.name());
    long end = BatmapHeader.headerOffset(header);
    Optional<BatmapHeader> batmap = batmap(end, entries, size);
    if (batmap.isPresent()) {
      end = batmap.get().mapOffset() + batmap.get().mapBytes();
    }
    ByteBuffer names = ByteBuffer.allocate(0);
    if (said.type == DiskType.DIFFERENCING) {
      ParentRecord parent = parent(parentInfo);
      header = parent.applyTo(header, end);
      names = parent.names();
    }
    long namesOffset = end;
    end += names.remaining();
    long footerOffset = file.size() == 0 ? end : deviceFooter(end);
    writeTable(tableOffset, entries);
    if (batmap.isPresent()) {
      file.write(batmap.get().bytes(), batmap.get().headerOffset());
      writeZeroes(batmap.get().mapOffset(), batmap.get().mapBytes());
    }
    if (names.hasRemaining()) {
      file.write(names, namesOffset);
    }
    file.write(header.bytes(), HardDiskFooter.BYTES);
    sync();
    file.write(footer.bytes(), footerOffset);
    file.write(footer.bytes(), 0);
  }

  private ParentRecord parent(Optional<ImageInfo> parentInfo) throws IOException {
    String name = options.backingName().orElseThrow();
    return parentInfo.isPresent()
        ? ParentRecord.of(parentInfo.get(), name, file.name())
        : ParentRecord.ofRaw(name);
  }

  private Optional<BatmapHeader> batmap(long offset, long entries, long size) throws IOException {
    if (!said.isXen) {
      return Optional.empty();
    }
    BatmapHeader header = BatmapHeader.create(offset, entries);
    if (said.isEncrypted) {
      byte[] key = DiskCipher.key(context.secrets(), file.name());
      try {
        header = header.withKeyHash(KeyHash.of(key));
      } finally {
        Arrays.fill(key, (byte) 0);
      }
    }
    return Optional.of(header.withChecksum(ByteBuffer.allocate((int) header.mapBytes()), size));
  }

  /** No block has a place. */
  private void writeTable(long offset, long entries) throws IOException {
    long length = Structures.roundUp(entries * Integer.BYTES, SECTOR);
    byte[] unused = new byte[(int) Math.min(STEP, length)];
    Arrays.fill(unused, (byte) 0xff);
    for (long done = 0; done < length; done += unused.length) {
      int step = (int) Math.min(unused.length, length - done);
      file.write(ByteBuffer.wrap(unused, 0, step), offset + done);
    }
  }

  private void writeZeroes(long offset, long length) throws IOException {
    ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(STEP, length));
    Zeroes.fill(zeroes);
    for (long done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), length - done));
      file.write(zeroes, offset + done);
    }
  }

  private void sync() throws IOException {
    if (options.isDurable()) {
      file.flush();
    }
  }
}
