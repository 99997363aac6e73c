package io.vdisk.bench.engine;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The engine. */
record DeviceDisk(BlockDevice device) implements Disk {
  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    device.read(dst, offset);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    device.write(src, offset);
  }

  @Override
  public void zero(long offset, int length) throws IOException {
    device.writeZeroes(offset, length);
  }

  @Override
  public void close() throws IOException {
    device.close();
  }
}
