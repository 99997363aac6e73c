package io.vdisk.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A host file that hands every call to another one: for those that change one call of it. {@link
 * #readFully} and {@link #readPadded} come through {@link #read}. Closing closes the other file.
 */
public abstract class ForwardingFile implements HostFile {
  private final HostFile file;

  /** Forwards to {@code file}. */
  protected ForwardingFile(HostFile file) {
    this.file = file;
  }

  /** The other file. */
  protected final HostFile file() {
    return file;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    return file.read(dst, offset);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    file.write(src, offset);
  }

  @Override
  public long size() throws IOException {
    return file.size();
  }

  @Override
  public long capacity() throws IOException {
    return file.capacity();
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
  public String name() {
    return file.name();
  }

  @Override
  public boolean canWrite() {
    return file.canWrite();
  }

  @Override
  public boolean isLocked() {
    return file.isLocked();
  }

  @Override
  public PageCache pageCache() {
    return file.pageCache();
  }

  @Override
  public Object key() {
    return file.key();
  }

  @Override
  public Optional<Path> path() {
    return file.path();
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
  public long share(HostFile source, long sourceOffset, long offset, long length)
      throws IOException {
    return file.share(source, sourceOffset, offset, length);
  }

  @Override
  public long dataEnd(long offset, long limit) throws IOException {
    return file.dataEnd(offset, limit);
  }

  @Override
  public OptionalLong allocatedSize() throws IOException {
    return file.allocatedSize();
  }

  @Override
  public void advise(Advice advice, long offset, long length) throws IOException {
    file.advise(advice, offset, length);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  @Override
  public String toString() {
    return name();
  }
}
