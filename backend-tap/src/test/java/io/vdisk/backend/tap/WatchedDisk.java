package io.vdisk.backend.tap;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import io.vdisk.ImageInfo;
import io.vdisk.Images;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/**
 * A disk in memory that writes down what is asked of it, and waits or fails where it is told to.
 */
final class WatchedDisk implements BlockDevice {
  private final BlockDevice disk;
  private final List<String> asked = new ArrayList<>();

  volatile long failsAt = -1;
  volatile long waitsAt = -1;
  volatile Runnable beforeCalls = () -> {};
  volatile Runnable afterFlush = () -> {};
  volatile Runnable afterWrite = () -> {};
  final CountDownLatch arrived = new CountDownLatch(1);
  final CountDownLatch mayGo = new CountDownLatch(1);

  WatchedDisk(long size) throws IOException {
    this.disk = Images.ram(size);
  }

  /** What was asked, in the order in which it was done: {@code write 4096 512}. */
  synchronized List<String> asked() {
    return List.copyOf(asked);
  }

  private void ask(String what, long offset, long length) throws IOException {
    beforeCalls.run();
    if (offset == waitsAt) {
      arrived.countDown();
      try {
        mayGo.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
    synchronized (this) {
      asked.add(what + " " + offset + " " + length);
    }
    if (offset == failsAt) {
      throw new IOException("told to fail at " + offset);
    }
  }

  @Override
  public ImageInfo info() {
    return disk.info();
  }

  @Override
  public long size() {
    return disk.size();
  }

  @Override
  public Set<Capability> capabilities() {
    return disk.capabilities();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    ask("read", offset, dst.remaining());
    disk.read(dst, offset);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    ask("write", offset, src.remaining());
    disk.write(src, offset);
    afterWrite.run();
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    ask("zero", offset, length);
    disk.writeZeroes(offset, length);
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    ask("discard", offset, length);
    disk.discard(offset, length);
  }

  @Override
  public void flush() throws IOException {
    ask("flush", -2, 0);
    disk.flush();
    afterFlush.run();
  }

  @Override
  public Extent extentAt(long offset, long limit) throws IOException {
    return disk.extentAt(offset, limit);
  }

  @Override
  public void close() throws IOException {
    disk.close();
  }
}
