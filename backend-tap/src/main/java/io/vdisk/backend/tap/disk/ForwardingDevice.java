package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import io.vdisk.ImageInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;

/**
 * A device that stands before another one, and does what it does. It offers no feature: what
 * changes the one behind must know of the one before. The one behind stays its opener's.
 */
abstract class ForwardingDevice implements BlockDevice {
  private final BlockDevice device;

  ForwardingDevice(BlockDevice device) {
    this.device = device;
  }

  /** The one behind. */
  final BlockDevice device() {
    return device;
  }

  @Override
  public ImageInfo info() {
    return device.info();
  }

  @Override
  public long size() {
    return device.size();
  }

  @Override
  public Set<Capability> capabilities() {
    return device.capabilities();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    device.read(dst, offset);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    device.write(src, offset);
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    device.writeZeroes(offset, length);
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    device.discard(offset, length);
  }

  @Override
  public void flush() throws IOException {
    device.flush();
  }

  @Override
  public Extent extentAt(long offset, long limit) throws IOException {
    return device.extentAt(offset, limit);
  }

  /** Closes nothing. */
  @Override
  public void close() throws IOException {}
}
