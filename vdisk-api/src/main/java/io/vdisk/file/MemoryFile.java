package io.vdisk.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * A host file in memory, sparse: a chunk that was never written takes no space. It lives as long as
 * the object; {@link #flush} has nothing to do. A transfer is whole: a read sees each concurrent
 * write entirely or not at all.
 */
public final class MemoryFile implements HostFile {
  /** Bytes of a chunk, which is what is allocated at a time. */
  private static final int CHUNK = 64 << 10;

  /** Largest file: the chunk list then takes 64 MiB. */
  static final long MOST_BYTES = 1L << 40;

  private final String name;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private byte[] @Nullable [] chunks = new byte[16][]; // guarded by lock; a null one is zero
  private long size; // guarded by lock; every byte past it is zero
  private boolean closed; // guarded by lock

  /** An empty file, called {@code name} in messages. */
  public MemoryFile(String name) {
    this.name = name;
  }

  /** A file that holds {@code content}, which is copied. */
  public MemoryFile(String name, byte[] content) throws IOException {
    this(name);
    write(ByteBuffer.wrap(content), 0);
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    Ranges.checkOffset(offset);
    lock.readLock().lock();
    try {
      checkOpen();
      int wanted = (int) Math.max(0, Math.min(dst.remaining(), size - offset));
      for (int done = 0; done < wanted; ) {
        long at = offset + done;
        int within = (int) (at % CHUNK);
        int length = Math.min(wanted - done, CHUNK - within);
        byte[] chunk = chunk(at);
        if (chunk == null) {
          Zeroes.fill(dst, length);
        } else {
          dst.put(chunk, within, length);
        }
        done += length;
      }
      return wanted;
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    Ranges.checkOffset(offset);
    lock.writeLock().lock();
    try {
      checkOpen();
      checkSize(offset);
      long end = offset + src.remaining();
      checkSize(end);
      for (long at = offset; src.hasRemaining(); ) {
        int within = (int) (at % CHUNK);
        int length = Math.min(src.remaining(), CHUNK - within);
        src.get(ownChunk(at), within, length);
        at += length;
      }
      size = Math.max(size, end);
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public long size() throws IOException {
    lock.readLock().lock();
    try {
      checkOpen();
      return size;
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public long capacity() {
    return MOST_BYTES;
  }

  @Override
  public void resize(long newSize) throws IOException {
    Ranges.checkLength(newSize);
    lock.writeLock().lock();
    try {
      checkOpen();
      checkSize(newSize);
      if (newSize < size) {
        clear(newSize, size - newSize);
      }
      size = newSize;
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public void flush() throws IOException {
    long unused = size(); // a closed file says so here too
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    Ranges.check(offset, length);
    lock.writeLock().lock();
    try {
      checkOpen();
      clear(offset, Math.max(0, Math.min(length, size - offset)));
      return true;
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public long dataEnd(long offset, long limit) throws IOException {
    Ranges.checkLimit(offset, limit);
    lock.readLock().lock();
    try {
      checkOpen();
      long end = limit > Long.MAX_VALUE - offset ? Long.MAX_VALUE : offset + limit;
      boolean data = offset < size && chunk(offset) != null;
      long at = offset;
      while (at < end && at < size && (chunk(at) != null) == data) {
        at = (at / CHUNK + 1) * CHUNK;
      }
      long to = Math.min(at >= size && !data ? end : at, end);
      return data ? to : -to;
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public String name() {
    return name;
  }

  /** Gives the memory back. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closed = true;
      chunks = new byte[0][];
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public String toString() {
    return name;
  }

  private void checkOpen() throws ClosedChannelException {
    if (closed) {
      throw new ClosedChannelException();
    }
  }

  private void checkSize(long wanted) throws IOException {
    if (wanted > MOST_BYTES) {
      throw new IOException(name + ": a file in memory has at most " + MOST_BYTES + " bytes");
    }
  }

  private byte @Nullable [] chunk(long offset) {
    long index = offset / CHUNK;
    return index < chunks.length ? chunks[(int) index] : null;
  }

  private byte[] ownChunk(long offset) {
    int index = (int) (offset / CHUNK);
    if (index >= chunks.length) {
      chunks = Arrays.copyOf(chunks, Math.max(index + 1, chunks.length * 2));
    }
    byte[] chunk = chunks[index];
    if (chunk == null) {
      chunk = new byte[CHUNK];
      chunks[index] = chunk;
    }
    return chunk;
  }

  /** Zeroes bytes; whole chunks are given back. */
  private void clear(long offset, long length) {
    long end = offset + length;
    for (long at = offset; at < end; ) {
      int within = (int) (at % CHUNK);
      int bytes = (int) Math.min(end - at, CHUNK - within);
      byte[] chunk = chunk(at);
      if (chunk != null) {
        if (bytes == CHUNK) {
          chunks[(int) (at / CHUNK)] = null;
        } else {
          Arrays.fill(chunk, within, within + bytes, (byte) 0);
        }
      }
      at += bytes;
    }
  }
}
