package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Every change is durable when its call returns. As thread-safe as the device behind. */
final class DurableDevice extends ForwardingDevice {
  DurableDevice(BlockDevice device) {
    super(device);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    device().write(src, offset);
    device().flush();
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    device().writeZeroes(offset, length);
    device().flush();
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    device().discard(offset, length);
    device().flush();
  }
}
