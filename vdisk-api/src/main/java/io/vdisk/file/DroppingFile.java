package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Drops from the page cache what is moved through a file. The host drops only what is on the disk:
 * so whenever requests come to another window of the file, those behind it are named once more.
 * What was written begins its way to the disk with that. Any thread may call.
 */
final class DroppingFile implements NativeFile {
  /** Bytes of a window. */
  private static final long WINDOW = 8L << 20;

  /** Windows behind the one that requests are in: the disk is to have that much to do. */
  private static final int BEHIND = 4;

  private final NativeFile file;

  /** That of the last request. */
  private final AtomicLong window = new AtomicLong();

  /** Over {@code file}, which is closed with it. */
  DroppingFile(NativeFile file) {
    this.file = file;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    int count = file.read(dst, offset);
    moved(offset);
    return count;
  }

  @Override
  public int write(ByteBuffer src, long offset) throws IOException {
    int count = file.write(src, offset);
    moved(offset);
    return count;
  }

  private void moved(long offset) throws IOException {
    long now = offset / WINDOW;
    if (window.get() != now && window.getAndSet(now) != now) {
      long first = Math.max(0, now - BEHIND);
      if (first < now) {
        file.advise(Advice.NOT_AGAIN, first * WINDOW, (now - first) * WINDOW);
      }
    }
  }

  @Override
  public long size() throws IOException {
    return file.size();
  }

  @Override
  public void resize(long size) throws IOException {
    file.resize(size);
  }

  /** What is durable need not stay. */
  @Override
  public void flush() throws IOException {
    file.flush();
    dropAll();
  }

  private void dropAll() throws IOException {
    file.advise(Advice.NOT_AGAIN, 0, Long.MAX_VALUE);
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
    return file;
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
    try (file) {
      dropAll();
    }
  }
}
