package io.vdisk.testkit;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;

/** A file of a {@link CrashDisk}. Its content outlives {@link #close}. */
public final class CrashFile implements HostFile {
  /** Largest file, as of those that a cut leaves in memory. */
  private static final long MOST_BYTES = 1L << 40;

  private final CrashDisk disk;
  private final SectorStore store;
  private final String name;
  private final boolean writable;
  private volatile boolean closed;

  CrashFile(CrashDisk disk, SectorStore store, String name, boolean writable) {
    this.disk = disk;
    this.store = store;
    this.name = name;
    this.writable = writable;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    check(offset, 0);
    disk.lock().lock();
    try {
      int length = (int) Math.max(0, Math.min(dst.remaining(), store.size() - offset));
      store.read(dst, offset, length);
      return length;
    } finally {
      disk.lock().unlock();
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    check(offset, 0);
    checkWritable();
    checkSize(offset, src.remaining());
    if (src.hasRemaining()) {
      change(HostOperation.WRITE, offset, src.remaining(), () -> store.write(src, offset));
    }
  }

  @Override
  public long size() throws IOException {
    check(0, 0);
    disk.lock().lock();
    try {
      return store.size();
    } finally {
      disk.lock().unlock();
    }
  }

  @Override
  public void resize(long size) throws IOException {
    check(0, size);
    checkWritable();
    checkSize(size, 0);
    change(HostOperation.RESIZE, size, 0, () -> store.resize(size));
  }

  @Override
  public void flush() throws IOException {
    check(0, 0);
    disk.lock().lock();
    try {
      if (!store.isDirty()) {
        return;
      }
    } finally {
      disk.lock().unlock();
    }
    change(HostOperation.FLUSH, 0, 0, store::flush);
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    check(offset, length);
    checkWritable();
    long inside = Math.max(0, Math.min(length, size() - offset));
    if (inside > 0) {
      change(HostOperation.ZERO, offset, inside, () -> store.zero(offset, inside));
    }
    return true;
  }

  @Override
  public long dataEnd(long offset, long limit) throws IOException {
    check(offset, limit - 1);
    disk.lock().lock();
    try {
      return store.dataEnd(offset, limit);
    } finally {
      disk.lock().unlock();
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean canWrite() {
    return writable;
  }

  @Override
  public Object key() {
    return store;
  }

  @Override
  public void close() {
    closed = true;
  }

  @Override
  public String toString() {
    return name;
  }

  private void change(HostOperation operation, long offset, long length, Runnable effect)
      throws IOException {
    disk.happens(new CrashDisk.Event(name, operation, false, offset, length));
    disk.lock().lock();
    try {
      effect.run();
    } finally {
      disk.lock().unlock();
    }
    disk.happens(new CrashDisk.Event(name, operation, true, offset, length));
  }

  private void check(long offset, long length) throws ClosedChannelException {
    if (offset < 0 || length < 0) {
      throw new IllegalArgumentException("offset " + offset + ", length " + length);
    }
    if (closed) {
      throw new ClosedChannelException();
    }
  }

  private void checkWritable() {
    if (!writable) {
      throw new NonWritableChannelException();
    }
  }

  private void checkSize(long offset, long length) throws IOException {
    if (offset > MOST_BYTES - length) {
      throw new IOException(name + ": a file in memory has at most " + MOST_BYTES + " bytes");
    }
  }
}
