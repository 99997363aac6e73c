package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import io.vdisk.ImageInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.util.Objects;
import java.util.Set;

/**
 * A read-only device to back images: {@link Pattern}s, with every third stretch of 16 KiB empty.
 */
final class PatternDevice implements BlockDevice {
  private static final int STRETCH = 16 << 10;

  private final long size;
  private volatile boolean closed;

  PatternDevice(long size) {
    this.size = size;
  }

  @Override
  public ImageInfo info() {
    return ImageInfo.builder("pattern", size, STRETCH).build();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    check(offset, dst.remaining());
    for (long position = offset; dst.hasRemaining(); ) {
      int length = (int) Math.min(dst.remaining(), STRETCH - position % STRETCH);
      dst.put(bytes(position, length));
      position += length;
    }
  }

  /** Bytes of one stretch. */
  private static byte[] bytes(long offset, int length) {
    return isEmpty(offset) ? new byte[length] : Pattern.bytes(Pattern.BACKING, offset, length);
  }

  private static boolean isEmpty(long offset) {
    return offset / STRETCH % 3 == 2;
  }

  /** What an image above shows in {@code sector} as long as it holds nothing itself. */
  byte[] sector(long sector) throws IOException {
    byte[] bytes = new byte[SectorModel.SECTOR];
    long offset = sector * SectorModel.SECTOR;
    int length = (int) Math.max(0, Math.min(bytes.length, size - offset));
    read(ByteBuffer.wrap(bytes, 0, length), Math.min(offset, size));
    return bytes;
  }

  @Override
  public void write(ByteBuffer src, long offset) {
    throw new NonWritableChannelException();
  }

  @Override
  public void writeZeroes(long offset, long length) {
    throw new NonWritableChannelException();
  }

  @Override
  public void discard(long offset, long length) {
    throw new NonWritableChannelException();
  }

  @Override
  public void flush() throws IOException {
    check(0, 0);
  }

  @Override
  public Extent extentAt(long offset, long limit) throws IOException {
    check(offset, limit);
    long length = Math.min(limit, STRETCH - offset % STRETCH);
    return isEmpty(offset) ? Extent.hole(offset, length) : Extent.data(offset, length);
  }

  @Override
  public void close() {
    closed = true;
  }

  private void check(long offset, long length) throws ClosedChannelException {
    Objects.checkFromIndexSize(offset, length, size);
    if (closed) {
      throw new ClosedChannelException();
    }
  }
}
