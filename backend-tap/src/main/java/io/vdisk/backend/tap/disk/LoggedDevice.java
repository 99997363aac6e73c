package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Records each change in a log of changed blocks before it is made. As thread-safe as both. */
final class LoggedDevice extends ForwardingDevice {
  private final ChangedBlockLog log;

  /** Device and log stay their opener's. */
  LoggedDevice(BlockDevice device, ChangedBlockLog log) {
    super(device);
    this.log = log;
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    mark(offset, src.remaining());
    super.write(src, offset);
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    mark(offset, length);
    super.writeZeroes(offset, length);
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    mark(offset, length);
    super.discard(offset, length);
  }

  @Override
  public void flush() throws IOException {
    log.flush();
    super.flush();
  }

  private void mark(long offset, long length) throws IOException {
    java.util.Objects.checkFromIndexSize(offset, length, size());
    log.mark(offset, length);
  }
}
