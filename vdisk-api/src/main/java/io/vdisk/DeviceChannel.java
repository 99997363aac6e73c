package io.vdisk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SeekableByteChannel;

/** A device with a position. */
final class DeviceChannel implements SeekableByteChannel {
  private final BlockDevice device;
  private long position;
  private boolean closed;

  DeviceChannel(BlockDevice device) {
    this.device = device;
  }

  @Override
  public synchronized int read(ByteBuffer dst) throws IOException {
    checkOpen();
    long left = device.size() - position;
    if (left <= 0) {
      return dst.hasRemaining() ? -1 : 0;
    }
    int limit = dst.limit();
    int length = (int) Math.min(dst.remaining(), left);
    try {
      device.read(dst.limit(dst.position() + length), position);
    } finally {
      dst.limit(limit);
    }
    position += length;
    return length;
  }

  @Override
  public synchronized int write(ByteBuffer src) throws IOException {
    checkOpen();
    int length = src.remaining();
    if (length > device.size() - position) {
      throw new IOException(
          "a disk does not grow: " + length + " bytes at " + position + " of " + device.size());
    }
    device.write(src, position);
    position += length;
    return length;
  }

  @Override
  public synchronized long position() throws IOException {
    checkOpen();
    return position;
  }

  @Override
  public synchronized SeekableByteChannel position(long newPosition) throws IOException {
    checkOpen();
    if (newPosition < 0) {
      throw new IllegalArgumentException("position " + newPosition);
    }
    position = newPosition;
    return this;
  }

  @Override
  public synchronized long size() throws IOException {
    checkOpen();
    return device.size();
  }

  @Override
  public synchronized SeekableByteChannel truncate(long size) throws IOException {
    checkOpen();
    if (size < device.size()) {
      throw new UnsupportedOperationException("a disk does not shrink");
    }
    position = Math.min(position, size);
    return this;
  }

  @Override
  public synchronized boolean isOpen() {
    return !closed;
  }

  @Override
  public synchronized void close() {
    closed = true;
  }

  private void checkOpen() throws ClosedChannelException {
    if (closed) {
      throw new ClosedChannelException();
    }
  }
}
