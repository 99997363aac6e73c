package io.vdisk.format.vhd;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The footer of an image and its copy, as far as they are there.
 *
 * <p>A footer at the end that says the disk is fixed is believed first: the beginning of a fixed
 * disk is the guest's, who could write anything there. Otherwise the copy at the beginning is,
 * because behind it nothing moves, whereas the footer at the end may have been lost in a power cut
 * while the file grew.
 *
 * @param end the footer at the end, if one is there with the right checksum
 * @param endOffset where it lies; without one, where it may be put: behind the file, or at the end
 *     of a device
 * @param copy the copy at the beginning, if one is there with the right checksum
 * @param used the one that is believed
 */
record Footers(
    Optional<HardDiskFooter> end,
    long endOffset,
    Optional<HardDiskFooter> copy,
    HardDiskFooter used) {

  /** Bytes that are searched at a time. */
  private static final int SEARCH = 1 << 20;

  /** "conectix" as a number. */
  private static final long CONECTIX = 0x636f_6e65_6374_6978L;

  /** How strictly an image is read. */
  enum Reading {
    /** Checksums must be right. */
    STRICT,
    /** Checksums may be wrong: the image is to be repaired. */
    TO_REPAIR
  }

  /** Looks for the footers of a file; empty if there are none. */
  static Optional<Footers> find(HostFile file) throws IOException {
    return find(file, Reading.STRICT);
  }

  /** Whether there is a footer's cookie at either end, be the rest what it may. */
  static boolean hasCookie(HostFile file) throws IOException {
    long size = file.size();
    return size >= HardDiskFooter.BYTES
        && (read(file, 0, HardDiskFooter.BYTES).hasCookie()
            || read(file, size - HardDiskFooter.BYTES, HardDiskFooter.BYTES).hasCookie());
  }

  private static Optional<Footers> find(HostFile file, Reading reading) throws IOException {
    long size = file.size();
    Optional<HardDiskFooter> copy = Optional.empty();
    Optional<HardDiskFooter> end = Optional.empty();
    long endOffset =
        size >= file.capacity()
            ? size - HardDiskFooter.BYTES
            : Structures.roundUp(size, Structures.SECTOR);
    if (size >= HardDiskFooter.BYTES) {
      end = at(file, size - HardDiskFooter.BYTES, HardDiskFooter.BYTES, reading);
      copy = at(file, 0, HardDiskFooter.BYTES, reading).filter(Footers::isSparse);
    }
    if (end.isPresent()) {
      endOffset = size - HardDiskFooter.BYTES;
    } else if (size >= HardDiskFooter.SHORT_BYTES) {
      end = at(file, size - HardDiskFooter.SHORT_BYTES, HardDiskFooter.SHORT_BYTES, reading);
      endOffset = end.isPresent() ? size - HardDiskFooter.SHORT_BYTES : endOffset;
    }
    HardDiskFooter used = believed(end.orElse(null), copy.orElse(null));
    return used == null ? Optional.empty() : Optional.of(new Footers(end, endOffset, copy, used));
  }

  private static @Nullable HardDiskFooter believed(
      @Nullable HardDiskFooter end, @Nullable HardDiskFooter copy) {
    if (end != null && (copy == null || end.is(DiskType.FIXED))) {
      return end;
    }
    return copy;
  }

  private static Optional<HardDiskFooter> at(
      HostFile file, long offset, int length, Reading reading) throws IOException {
    HardDiskFooter footer = read(file, offset, length);
    boolean right = footer.hasCookie() && (isLenient(reading) || footer.hasRightChecksum());
    return right ? Optional.of(footer) : Optional.empty();
  }

  private static boolean isLenient(Reading reading) {
    return reading == Reading.TO_REPAIR;
  }

  private static HardDiskFooter read(HostFile file, long offset, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    file.readPadded(bytes, offset);
    return HardDiskFooter.of(bytes.flip());
  }

  private static boolean isSparse(HardDiskFooter footer) {
    return footer.is(DiskType.DYNAMIC) || footer.is(DiskType.DIFFERENCING);
  }

  /** Finds the footers of an image. */
  static Footers read(HostFile file, Reading reading) throws IOException {
    Optional<Footers> strict = find(file, Reading.STRICT);
    Optional<Footers> found = strict.isEmpty() && isLenient(reading) ? find(file, reading) : strict;
    if (found.isEmpty() && isLenient(reading)) {
      found = searchFixed(file);
    }
    if (found.isEmpty()) {
      throw refusal(file);
    }
    HardDiskFooter used = found.get().used;
    if (used.fileFormatVersion() >>> 16 != 1) {
      throw new UnsupportedImageException(
          String.format(
              "%s: file format version 0x%08x of the footer is not 1.0",
              file.name(), used.fileFormatVersion()));
    }
    if (!used.is(DiskType.FIXED) && !isSparse(used)) {
      throw new UnsupportedImageException(
          file.name() + ": disk type " + used.typeCode() + " of the footer is none that is known");
    }
    return found.get();
  }

  /**
   * Looks for the footer of a fixed disk that does not stand at the end: the power failed while the
   * disk grew. It lies where its own size says.
   */
  private static Optional<Footers> searchFixed(HostFile file) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate(SEARCH);
    for (long end = file.size() / 512 * 512; end > 0; end -= SEARCH) {
      long start = Math.max(0, end - SEARCH);
      file.readPadded(piece.clear().limit((int) (end - start)), start);
      for (int at = (int) (end - start) - 512; at >= 0; at -= 512) {
        if (piece.getLong(at) == CONECTIX) {
          HardDiskFooter footer =
              HardDiskFooter.of(piece.duplicate().clear().position(at).limit(at + 512));
          if (footer.is(DiskType.FIXED)
              && footer.hasRightChecksum()
              && footer.currentSize() == start + at) {
            return Optional.of(
                new Footers(Optional.of(footer), start + at, Optional.empty(), footer));
          }
        }
      }
    }
    return Optional.empty();
  }

  /** Says what is wrong with the footers that are there. */
  private static CorruptImageException refusal(HostFile file) throws IOException {
    long size = file.size();
    for (long offset : new long[] {size - HardDiskFooter.BYTES, 0}) {
      if (offset < 0) {
        continue;
      }
      HardDiskFooter footer = read(file, offset, HardDiskFooter.BYTES);
      if (footer.hasCookie() && !footer.hasRightChecksum()) {
        return new CorruptImageException(
            String.format(
                Locale.ROOT,
                "%s: the checksum of the footer at %d is 0x%08x, and should be 0x%08x;"
                    + " no other is right (a repair of the image would correct it)",
                file.name(),
                offset,
                footer.checksum(),
                footer.rightChecksum()));
      }
    }
    return new CorruptImageException(
        file.name() + ": there is no VHD footer at the end, nor a copy of it at the beginning");
  }
}
