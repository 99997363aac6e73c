package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Where a descriptor lies: in a file of its own, or in sectors of a sparse extent.
 *
 * @param offset its first byte
 * @param room bytes that it may take; 0: the whole file is its own
 */
record DescriptorPlace(HostFile file, long offset, long room) {
  /** A file of its own. */
  static DescriptorPlace ofFile(HostFile file) {
    return new DescriptorPlace(file, 0, 0);
  }

  /** The sectors that a sparse extent keeps for it. */
  static DescriptorPlace in(HostFile file, SparseHeader header) throws IOException {
    long offset = header.descriptorOffset() * SparseHeader.SECTOR;
    long bytes = header.descriptorSectors() * SparseHeader.SECTOR;
    if (header.descriptorOffset() < 1
        || header.descriptorOffset() > SparseHeader.MAX_SECTORS
        || header.descriptorSectors() < 1
        || header.descriptorSectors() > Descriptor.MAX_BYTES / SparseHeader.SECTOR) {
      throw new CorruptImageException(
          String.format(
              "%s: a descriptor of %s sectors at sector %s cannot be",
              file.name(),
              Long.toUnsignedString(header.descriptorSectors()),
              Long.toUnsignedString(header.descriptorOffset())));
    }
    return new DescriptorPlace(file, offset, bytes);
  }

  Descriptor read() throws IOException {
    long length = room == 0 ? file.size() : room;
    if (length > Descriptor.MAX_BYTES) {
      throw new UnsupportedImageException(
          file.name()
              + ": a descriptor of "
              + length
              + " bytes, the limit is "
              + Descriptor.MAX_BYTES);
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) length);
    try {
      file.readFully(bytes, offset);
    } catch (EOFException e) {
      throw new CorruptImageException(file.name() + ": the descriptor is past the end", e);
    }
    return Descriptor.parse(bytes.array(), file.name());
  }

  /** Writes what changes, and no other byte: a number that keeps its width lies in one sector. */
  void replace(Descriptor before, Descriptor after) throws IOException {
    byte[] old = before.bytes();
    byte[] text = after.bytes();
    if (text.length > Descriptor.MAX_BYTES || (room > 0 && text.length > room)) {
      throw new UnsupportedImageException(
          file.name() + ": a descriptor of " + text.length + " bytes has no room in " + room);
    }
    byte[] padded = Arrays.copyOf(text, Math.max(text.length, old.length));
    int from = Arrays.mismatch(old, padded);
    if (from < 0) {
      return;
    }
    int to = padded.length;
    while (padded.length == old.length && to > from && padded[to - 1] == old[to - 1]) {
      to--;
    }
    if (room > 0) {
      file.write(ByteBuffer.wrap(padded, from, to - from), offset + from);
    } else {
      file.write(ByteBuffer.wrap(text, from, Math.min(to, text.length) - from), offset + from);
      file.resize(text.length);
    }
  }
}
