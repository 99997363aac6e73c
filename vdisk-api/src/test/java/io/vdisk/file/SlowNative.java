package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** A native file in memory that moves a few bytes at a time and tells what it was asked for. */
final class SlowNative implements NativeFile {
  /** Most bytes of one transfer. */
  static final int MOST = 1000;

  final List<String> asked = Collections.synchronizedList(new ArrayList<>());
  volatile @Nullable IOException flushFailure;
  volatile @Nullable IOException lockFailure;
  volatile boolean someoneElseLocks;
  volatile boolean cannotZero;
  volatile Runnable beforeWrite = () -> {};
  volatile @Nullable CountDownLatch flushing;
  volatile CountDownLatch mayFlush = new CountDownLatch(0);

  private final MemoryFile memory = new MemoryFile("native");

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    checkDirect(dst);
    int limit = dst.limit();
    dst.limit(dst.position() + Math.min(dst.remaining(), MOST));
    try {
      return memory.read(dst, offset);
    } finally {
      dst.limit(limit);
    }
  }

  @Override
  public int write(ByteBuffer src, long offset) throws IOException {
    checkDirect(src);
    beforeWrite.run();
    int limit = src.limit();
    int length = Math.min(src.remaining(), MOST);
    src.limit(src.position() + length);
    try {
      memory.write(src, offset);
      return length;
    } finally {
      src.limit(limit);
    }
  }

  private static void checkDirect(ByteBuffer buffer) {
    if (!buffer.isDirect()) {
      throw new IllegalArgumentException("a buffer in the heap");
    }
  }

  @Override
  public long size() throws IOException {
    return memory.size();
  }

  @Override
  public void resize(long size) throws IOException {
    memory.resize(size);
  }

  @Override
  public void flush() throws IOException {
    asked.add("flush");
    CountDownLatch latch = flushing;
    if (latch != null) {
      latch.countDown();
    }
    try {
      mayFlush.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    IOException failure = flushFailure;
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    asked.add("zero " + offset + " " + length + " " + keepSpace);
    return !cannotZero && memory.zero(offset, length, keepSpace);
  }

  @Override
  public long dataEnd(long offset, long limit) throws IOException {
    return memory.dataEnd(offset, limit);
  }

  @Override
  public void advise(Advice advice, long offset, long length) {
    asked.add(advice + " " + offset + " " + length);
  }

  @Override
  public boolean lock(long offset, long length, boolean shared) throws IOException {
    IOException failure = lockFailure;
    if (failure != null) {
      throw failure;
    }
    asked.add((shared ? "share " : "lock ") + offset + " " + length);
    return !someoneElseLocks;
  }

  @Override
  public void unlock(long offset, long length) {
    asked.add("unlock " + offset + " " + length);
  }

  @Override
  public void close() throws ClosedChannelException {
    asked.add("close");
  }
}
