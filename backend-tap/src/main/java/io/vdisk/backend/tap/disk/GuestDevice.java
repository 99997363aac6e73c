package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.DiskLogs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * What a guest's ring is served from: counts the requests that are under way. Any thread may call;
 * two do not share a counter.
 */
final class GuestDevice extends ForwardingDevice {
  private final DiskLogs logs;
  private final LongAdder begun;
  private final LongAdder ended;

  /** Held shared by a flush: the server of a guest that leaves does one while others pause it. */
  private final ReentrantReadWriteLock settling = new ReentrantReadWriteLock();

  private boolean isSettled; // guarded by it

  GuestDevice(BlockDevice device, DiskLogs logs, LongAdder begun, LongAdder ended) {
    super(device);
    this.logs = logs;
    this.begun = begun;
    this.ended = ended;
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    begun.increment();
    try {
      super.read(dst, offset);
    } finally {
      ended.increment();
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    begun.increment();
    try {
      super.write(src, offset);
    } finally {
      ended.increment();
    }
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    begun.increment();
    try {
      super.writeZeroes(offset, length);
    } finally {
      ended.increment();
    }
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    begun.increment();
    try {
      super.discard(offset, length);
    } finally {
      ended.increment();
    }
  }

  /**
   * All that was done is durable, and nothing more will be: a flush has nothing to do. Returns when
   * none is under way, so that the images behind may be closed.
   */
  void settle() {
    settling.writeLock().lock();
    try {
      isSettled = true;
    } finally {
      settling.writeLock().unlock();
    }
  }

  @Override
  public void flush() throws IOException {
    settling.readLock().lock();
    try {
      if (!isSettled) {
        countedFlush();
      }
    } finally {
      settling.readLock().unlock();
    }
  }

  private void countedFlush() throws IOException {
    begun.increment();
    try {
      logs.flush(super::flush);
    } finally {
      ended.increment();
    }
  }
}
