package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/** Hands every call on to another file, which is closed with it. */
abstract class ForwardingNativeFile implements NativeFile {
  private final NativeFile file;

  ForwardingNativeFile(NativeFile file) {
    this.file = file;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    return file.read(dst, offset);
  }

  @Override
  public int write(ByteBuffer src, long offset) throws IOException {
    return file.write(src, offset);
  }

  @Override
  public int alignment() {
    return file.alignment();
  }

  @Override
  public long size() throws IOException {
    return file.size();
  }

  @Override
  public void resize(long size) throws IOException {
    file.resize(size);
  }

  @Override
  public void flush() throws IOException {
    file.flush();
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    return file.zero(offset, length, keepSpace);
  }

  @Override
  public boolean allocate(long offset, long length) throws IOException {
    return file.allocate(offset, length);
  }

  @Override
  public boolean share(NativeFile source, long sourceOffset, long offset, long length)
      throws IOException {
    return file.share(source, sourceOffset, offset, length);
  }

  @Override
  public NativeFile bare() {
    return file.bare();
  }

  @Override
  public long dataEnd(long offset, long limit) throws IOException {
    return file.dataEnd(offset, limit);
  }

  @Override
  public void advise(Advice advice, long offset, long length) throws IOException {
    file.advise(advice, offset, length);
  }

  @Override
  public OptionalLong allocatedSize() throws IOException {
    return file.allocatedSize();
  }

  @Override
  public boolean lock(long offset, long length, boolean shared) throws IOException {
    return file.lock(offset, length, shared);
  }

  @Override
  public void unlock(long offset, long length) throws IOException {
    file.unlock(offset, length);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
