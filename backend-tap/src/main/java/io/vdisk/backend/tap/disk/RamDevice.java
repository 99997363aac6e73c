package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/** One user's device of a RAM disk that others may have open too. As thread-safe as that. */
final class RamDevice extends ForwardingDevice {
  private final boolean writable;
  private final Closeable use;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * A device.
   *
   * @param disk stays open when this one is closed
   * @param use closed with this one
   */
  RamDevice(BlockDevice disk, boolean writable, Closeable use) {
    super(disk);
    this.writable = writable;
    this.use = use;
  }

  @Override
  public Set<Capability> capabilities() {
    return writable ? super.capabilities() : Set.of();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    checkOpen();
    super.read(dst, offset);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    checkWritable();
    super.write(src, offset);
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    checkWritable();
    super.writeZeroes(offset, length);
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    checkWritable();
    super.discard(offset, length);
  }

  @Override
  public void flush() throws IOException {
    checkOpen();
    super.flush();
  }

  @Override
  public Extent extentAt(long offset, long limit) throws IOException {
    checkOpen();
    return super.extentAt(offset, limit);
  }

  @Override
  public void close() throws IOException {
    if (closed.compareAndSet(false, true)) {
      use.close();
    }
  }

  private void checkOpen() throws ClosedChannelException {
    if (closed.get()) {
      throw new ClosedChannelException();
    }
  }

  private void checkWritable() throws ClosedChannelException {
    checkOpen();
    if (!writable) {
      throw new NonWritableChannelException();
    }
  }
}
