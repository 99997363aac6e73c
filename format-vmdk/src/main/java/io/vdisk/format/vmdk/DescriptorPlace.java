package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

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

  /**
   * Makes of one descriptor another, as {@link DescriptorChange} has it; durable on return.
   *
   * @return what is there now: blank lines apart, that is {@code after}
   */
  Descriptor replace(Descriptor before, Descriptor after) throws IOException {
    List<String> texts = new DescriptorChange(before, after).texts();
    int most = texts.stream().mapToInt(String::length).max().orElse(0);
    if (most > (room > 0 ? room : Descriptor.MAX_BYTES)) {
      throw new UnsupportedImageException(
          file.name() + ": a descriptor of " + most + " bytes has no room");
    }
    byte[] old = before.bytes();
    if (most > old.length) {
      clearBehind(old.length);
    }
    for (String text : texts) {
      byte[] next = text.getBytes(StandardCharsets.ISO_8859_1);
      if (!Arrays.equals(old, next)) {
        write(old, next);
        file.flush();
        old = next;
      }
    }
    return Descriptor.parse(old, file.name());
  }

  /** What lies behind the text's end must not become a part of a longer one. */
  private void clearBehind(int length) throws IOException {
    if (room == 0) {
      if (file.size() > length) {
        file.resize(length);
        file.flush();
      }
      return;
    }
    ByteBuffer rest = ByteBuffer.allocate((int) (room - length));
    file.readFully(rest, offset + length);
    if (!Zeroes.only(rest.flip())) {
      file.write(ByteBuffer.allocate(rest.capacity()), offset + length);
      file.flush();
    }
  }

  /** Writes what changes, and no other byte. */
  private void write(byte[] old, byte[] next) throws IOException {
    if (next.length < old.length && room == 0) {
      file.resize(next.length);
      return;
    }
    byte[] from = Arrays.copyOf(old, Math.max(old.length, next.length));
    byte[] to = Arrays.copyOf(next, from.length);
    int first = Arrays.mismatch(from, to);
    int last = to.length;
    while (last == old.length && last > first + 1 && from[last - 1] == to[last - 1]) {
      last--;
    }
    file.write(ByteBuffer.wrap(to, first, last - first), offset + first);
  }
}
