package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import io.vdisk.ImageInfo;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** A read-only disk of given bytes, for what lies below an image; counts who tries to change it. */
final class ArrayDisk implements BlockDevice {
  private final byte[] content;
  private final AtomicInteger changes = new AtomicInteger();
  private volatile boolean closed;

  ArrayDisk(byte[] content) {
    this.content = content.clone();
  }

  /** How many changes were asked for, and refused. */
  int changes() {
    return changes.get();
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public ImageInfo info() {
    return ImageInfo.builder("array", content.length, 1).build();
  }

  @Override
  public long size() {
    return content.length;
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws ClosedChannelException {
    check(offset, dst.remaining());
    dst.put(content, (int) offset, dst.remaining());
  }

  @Override
  public void write(ByteBuffer src, long offset) {
    refuse();
  }

  @Override
  public void writeZeroes(long offset, long length) {
    refuse();
  }

  @Override
  public void discard(long offset, long length) {
    refuse();
  }

  @Override
  public void flush() throws ClosedChannelException {
    check(0, 0);
  }

  @Override
  public Extent extentAt(long offset, long limit) throws ClosedChannelException {
    check(offset, limit);
    return Extent.data(offset, limit);
  }

  @Override
  public void close() {
    closed = true;
  }

  private void check(long offset, long length) throws ClosedChannelException {
    Objects.checkFromIndexSize(offset, length, content.length);
    if (closed) {
      throw new ClosedChannelException();
    }
  }

  private void refuse() {
    changes.incrementAndGet();
    throw new NonWritableChannelException();
  }
}
