package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.ImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The bitmaps of an image, one entry after the other. Specification: "Bitmap directory". Immutable;
 * the file is read once.
 *
 * @param entries in the order of the file
 */
record BitmapDirectory(List<BitmapEntry> entries) {
  static final BitmapDirectory EMPTY = new BitmapDirectory(List.of());

  BitmapDirectory(List<BitmapEntry> entries) {
    this.entries = List.copyOf(entries);
  }

  /**
   * Reads the directory that the header names; empty if it names none.
   *
   * @throws CorruptImageException if it is not all there or an entry cannot be: there is no telling
   *     where the next one would begin
   */
  static BitmapDirectory read(HostFile file, Qcow2Header header) throws IOException {
    Optional<BitmapsExtension> named = header.bitmaps;
    return named.isPresent() ? read(file, header, named.get()) : EMPTY;
  }

  private static BitmapDirectory read(HostFile file, Qcow2Header header, BitmapsExtension named)
      throws IOException {
    long offset = named.directoryOffset();
    if (offset > file.size() - named.directorySize()) {
      throw new CorruptImageException(
          file.name()
              + ": a bitmap directory of "
              + named.directorySize()
              + " bytes at "
              + offset
              + " is past the end");
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) named.directorySize());
    file.readFully(bytes, offset);
    bytes.flip();
    List<BitmapEntry> entries = new ArrayList<>();
    Set<RawBytes> names = new HashSet<>();
    while (bytes.hasRemaining() && entries.size() < named.bitmaps()) {
      BitmapEntry entry = BitmapEntry.parse(bytes, file, header, offset);
      if (!names.add(entry.name())) {
        throw new CorruptImageException(
            file.name()
                + ": two bitmaps in the directory at "
                + offset
                + " are called "
                + entry.name());
      }
      entries.add(entry);
    }
    if (bytes.hasRemaining() || entries.size() < named.bitmaps()) {
      throw new CorruptImageException(
          file.name()
              + ": the bitmap directory at "
              + offset
              + " has not the "
              + named.bitmaps()
              + " entries in "
              + named.directorySize()
              + " bytes that the header says");
    }
    return new BitmapDirectory(entries);
  }

  Optional<BitmapEntry> find(String name) {
    RawBytes wanted = RawBytes.of(name);
    return entries.stream().filter(entry -> entry.name().equals(wanted)).findFirst();
  }

  /** Bytes of {@link #encode}. */
  long encodedBytes() {
    return entries.stream().mapToLong(BitmapEntry::encodedBytes).sum();
  }

  /** The header extension that names this directory once it lies at {@code fileOffset}. */
  BitmapsExtension extension(long fileOffset) {
    return new BitmapsExtension(entries.size(), encodedBytes(), fileOffset);
  }

  /**
   * The bytes of the directory, from position 0 on.
   *
   * @param fileName for the message
   * @throws UnsupportedImageException if they are more than a directory may have
   */
  ByteBuffer encode(String fileName) throws ImageException {
    long size = encodedBytes();
    if (size > BitmapsExtension.MAX_DIRECTORY_BYTES
        || entries.size() > BitmapsExtension.MAX_BITMAPS) {
      throw new UnsupportedImageException(
          fileName
              + ": a directory of "
              + entries.size()
              + " bitmaps in "
              + size
              + " bytes is more than can be");
    }
    ByteBuffer directory = ByteBuffer.allocate((int) size);
    for (BitmapEntry entry : entries) {
      entry.encode(directory);
    }
    return directory.flip();
  }
}
