package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import io.vdisk.spi.BufferPool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Hides what a file wants that was opened past the page cache: offsets, lengths and memory at
 * multiples of a block. Requests that are not go through a buffer that is. Any thread may call.
 *
 * <p>Who changes a part of a block reads the block and writes it whole, alone on the file: nobody's
 * change comes between, and nobody sees a file that ends within a block while it is longer. All
 * others share it.
 */
final class DirectFile implements NativeFile {
  private static final BufferPool BUFFERS = new BufferPool();

  private final NativeFile file;
  private final int block;
  private final boolean device;

  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private final Lock shared = lock.readLock();
  private final Lock alone = lock.writeLock();

  /**
   * Over {@code file}, which is closed with it.
   *
   * @param device whether its size is fixed
   */
  DirectFile(NativeFile file, boolean device) {
    this.file = file;
    this.block = file.alignment();
    this.device = device;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    if (!dst.hasRemaining()) {
      return 0;
    }
    shared.lock();
    try {
      return isAligned(dst, offset) && dst.remaining() % block == 0
          ? file.read(dst, offset)
          : readThrough(dst, offset);
    } finally {
      shared.unlock();
    }
  }

  private boolean isAligned(ByteBuffer buffer, long offset) {
    return offset % block == 0 && buffer.alignmentOffset(buffer.position(), block) == 0;
  }

  private int readThrough(ByteBuffer dst, long offset) throws IOException {
    int skipped = (int) (offset % block);
    long end = Math.min((long) skipped + dst.remaining(), BufferPool.MAX_SIZE);
    ByteBuffer buffer = BUFFERS.acquire((int) roundUp(end));
    try {
      int count = Math.min(file.read(buffer, offset - skipped) - skipped, dst.remaining());
      if (count <= 0) {
        return 0;
      }
      dst.put(buffer.slice(skipped, count));
      return count;
    } finally {
      BUFFERS.release(buffer);
    }
  }

  private long roundUp(long length) {
    return (length + block - 1) / block * block;
  }

  @Override
  public int write(ByteBuffer src, long offset) throws IOException {
    if (!src.hasRemaining()) {
      return 0;
    }
    if (offset % block != 0 || src.remaining() < block) {
      return writePart(src, offset);
    }
    int limit = src.limit();
    src.limit(limit - src.remaining() % block);
    shared.lock();
    try {
      return isAligned(src, offset) ? file.write(src, offset) : writeThrough(src, offset);
    } finally {
      shared.unlock();
      src.limit(limit);
    }
  }

  /** Whole blocks, out of memory that lies elsewhere than at a multiple of them. */
  private int writeThrough(ByteBuffer src, long offset) throws IOException {
    int length = Math.min(src.remaining(), BufferPool.MAX_SIZE);
    ByteBuffer buffer = BUFFERS.acquire(length);
    try {
      buffer.put(src.slice(src.position(), length)).flip();
      int written = file.write(buffer, offset);
      src.position(src.position() + written);
      return written;
    } finally {
      BUFFERS.release(buffer);
    }
  }

  /** Bytes of one block. */
  private int writePart(ByteBuffer src, long offset) throws IOException {
    int skipped = (int) (offset % block);
    long start = offset - skipped;
    int length = Math.min(src.remaining(), block - skipped);
    ByteBuffer buffer = BUFFERS.acquire(block);
    alone.lock();
    try {
      long size = file.size();
      if (device && offset + length > size) {
        throw new IOException(
            "a device of " + size + " bytes has no room for " + length + " at " + offset);
      }
      int held = fill(buffer, start);
      Zeroes.fill(buffer.limit(block).position(held));
      buffer.put(skipped, src, src.position(), length);
      int kept = device ? (int) Math.min(block, size - start) : block;
      drain(buffer.position(0).limit(kept), start);
      long end = Math.max(size, offset + length);
      if (!device && end < start + block) {
        file.resize(end);
      }
      src.position(src.position() + length);
      return length;
    } finally {
      alone.unlock();
      BUFFERS.release(buffer);
    }
  }

  /** Fills the buffer as far as the file goes. */
  private int fill(ByteBuffer buffer, long offset) throws IOException {
    int more = file.read(buffer, offset);
    while (more > 0 && buffer.position() % block == 0 && buffer.hasRemaining()) {
      more = file.read(buffer, offset + buffer.position());
    }
    return buffer.position();
  }

  private void drain(ByteBuffer buffer, long offset) throws IOException {
    while (buffer.hasRemaining()) {
      if (file.write(buffer, offset + buffer.position()) == 0) {
        throw new IOException("the host takes no more bytes at " + (offset + buffer.position()));
      }
    }
  }

  @Override
  public long size() throws IOException {
    shared.lock();
    try {
      return file.size();
    } finally {
      shared.unlock();
    }
  }

  @Override
  public void resize(long size) throws IOException {
    shared.lock();
    try {
      file.resize(size);
    } finally {
      shared.unlock();
    }
  }

  /** What is in the device's own cache, and the size, are not durable otherwise. */
  @Override
  public void flush() throws IOException {
    file.flush();
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    shared.lock();
    try {
      return file.zero(offset, length, keepSpace);
    } finally {
      shared.unlock();
    }
  }

  @Override
  public boolean allocate(long offset, long length) throws IOException {
    shared.lock();
    try {
      return file.allocate(offset, length);
    } finally {
      shared.unlock();
    }
  }

  @Override
  public boolean share(NativeFile source, long sourceOffset, long offset, long length)
      throws IOException {
    shared.lock();
    try {
      return file.share(source, sourceOffset, offset, length);
    } finally {
      shared.unlock();
    }
  }

  @Override
  public NativeFile bare() {
    return file;
  }

  @Override
  public long dataEnd(long offset, long limit) throws IOException {
    shared.lock();
    try {
      return file.dataEnd(offset, limit);
    } finally {
      shared.unlock();
    }
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
