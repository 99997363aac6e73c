package io.vdisk.testkit.file;

import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SeekableByteChannel;
import java.util.Arrays;

/**
 * A channel as unpleasant as its contract allows: it moves a few bytes at a time, and what lies
 * between its old end and a write past it is rubbish.
 */
final class DirtyChannel implements SeekableByteChannel {
  private static final int MOST = 999;

  private byte[] content = new byte[0];
  private int size;
  private int position;
  private boolean closed;

  @Override
  public int read(ByteBuffer dst) throws ClosedChannelException {
    checkOpen();
    if (position >= size) {
      return -1;
    }
    int length = Math.min(Math.min(dst.remaining(), size - position), MOST);
    dst.put(content, position, length);
    position += length;
    return length;
  }

  @Override
  public int write(ByteBuffer src) throws ClosedChannelException {
    checkOpen();
    int length = Math.min(src.remaining(), MOST);
    if (length == 0) {
      return 0;
    }
    int end = position + length;
    if (end > content.length) {
      int before = content.length;
      content = Arrays.copyOf(content, Math.max(end, 2 * before));
      Arrays.fill(content, before, content.length, (byte) 0xee);
    }
    src.get(content, position, length);
    position = end;
    size = Math.max(size, end);
    return length;
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public SeekableByteChannel position(long newPosition) {
    position = Math.toIntExact(newPosition);
    return this;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public SeekableByteChannel truncate(long newSize) {
    if (newSize < size) {
      size = (int) newSize;
      Arrays.fill(content, size, content.length, (byte) 0xee);
    }
    return this;
  }

  @Override
  public boolean isOpen() {
    return !closed;
  }

  @Override
  public void close() {
    closed = true;
  }

  private void checkOpen() throws ClosedChannelException {
    if (closed) {
      throw new ClosedChannelException();
    }
  }
}
