package io.vdisk.testkit;

import io.vdisk.file.HostFile;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;

/**
 * An image with a few bytes replaced, for reading: thousands of them share one array. Where holes
 * are it does not know.
 */
final class DamagedFile implements HostFile {
  private final String name;
  private final byte[] image;
  private final Mutation mutation;

  DamagedFile(String name, byte[] image, Mutation mutation) {
    this.name = name;
    this.image = image;
    this.mutation = mutation;
  }

  @Override
  public int read(ByteBuffer dst, long offset) {
    int length = (int) Math.max(0, Math.min(dst.remaining(), size() - offset));
    if (length > 0) {
      int start = dst.position();
      dst.put(image, (int) offset, length);
      mutation.applyTo(dst, start, offset, length);
    }
    return length;
  }

  @Override
  public long size() {
    return mutation.sizeOf(image.length);
  }

  @Override
  public void write(ByteBuffer src, long offset) {
    throw new NonWritableChannelException();
  }

  @Override
  public void resize(long size) {
    throw new NonWritableChannelException();
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) {
    throw new NonWritableChannelException();
  }

  @Override
  public void flush() {}

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean canWrite() {
    return false;
  }

  @Override
  public void close() {}

  @Override
  public String toString() {
    return name;
  }
}
