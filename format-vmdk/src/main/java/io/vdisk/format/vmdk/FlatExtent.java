package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Mapping;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** An extent whose bytes lie in a file, or on a device, as they are. */
final class FlatExtent implements VmdkExtent {
  /** What the engine locks at a time, and zeroes where the host cannot; any power of two does. */
  private static final long STEP = 1 << 20;

  private final HostFile file;
  private final long start;
  private volatile long size;
  private final boolean isWritable;

  /**
   * An extent.
   *
   * @throws CorruptImageException if the file ends before it does
   */
  FlatExtent(HostFile file, ExtentLine line) throws IOException {
    this.file = file;
    this.start = line.offsetSectors() * SparseHeader.SECTOR;
    this.size = line.sectors() * SparseHeader.SECTOR;
    this.isWritable = line.access() == ExtentAccess.RW;
    if (start > file.size() - size) {
      throw new CorruptImageException(
          String.format(
              "%s: it has %d bytes, and is said to have an extent of %d from %d on",
              file.name(), file.size(), size, start));
    }
  }

  boolean isWritable() {
    return isWritable;
  }

  /**
   * Whether nothing lies behind it in its file: zeroes are what a power cut left of an attempt to
   * make it longer.
   */
  boolean isAtEnd() throws IOException {
    long end = file.size();
    ByteBuffer bytes = ByteBuffer.allocate(64 << 10);
    for (long at = start + size; at < end; ) {
      long until = file.dataEnd(at, end - at);
      long next = until > at ? Math.min(until, at + bytes.capacity()) : -until;
      if (until > at) {
        file.readFully(bytes.clear().limit((int) (next - at)), at);
        if (!Zeroes.only(bytes.flip())) {
          return false;
        }
      }
      at = next;
    }
    return true;
  }

  /** Makes the file as long as the extent is to be; alone. */
  void resizeFile(long bytes) throws IOException {
    file.resize(start + bytes);
    file.flush();
  }

  /** It has so many bytes from now on; alone. */
  void setSize(long bytes) {
    size = bytes;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public long unit() {
    return 1;
  }

  @Override
  public long unitEnd(long offset) {
    return Math.min(size, (offset & -STEP) + STEP);
  }

  @Override
  public Optional<HostFile> file() {
    return Optional.of(file);
  }

  @Override
  public Mapping map(long offset, long length) {
    return Mapping.stored(file, start + offset, length, isWritable);
  }

  @Override
  public void beforeWrite() throws IOException {
    if (!isWritable) {
      throw new UnsupportedImageException(file.name() + ": the extent is RDONLY");
    }
  }

  @Override
  public Allocation allocate(long offset, long length) {
    throw new IllegalStateException("the data of a flat extent is always written in place");
  }

  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    return file.zero(start + offset, length, keepSpace) ? length : 0;
  }
}
