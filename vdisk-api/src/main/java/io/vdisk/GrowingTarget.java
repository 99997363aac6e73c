package io.vdisk;

import io.vdisk.feature.Resizing;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A device that becomes as large as what is written to it. One thread. */
final class GrowingTarget implements SequentialTarget {
  private static final int SECTOR = 512;

  /** Least bytes by which it grows: each step is durable, and costs a few flushes. */
  private static final long LEAST_STEP = 64 << 20;

  private final BlockDevice device;
  private final Resizing resizing;
  private final SequentialTarget inner;

  /** Where the last write ended. */
  private long end;

  GrowingTarget(BlockDevice device) throws IOException {
    this.device = device;
    this.resizing =
        device
            .feature(Resizing.class)
            .orElseThrow(
                () ->
                    new UnsupportedImageException(
                        device.info().format() + " images cannot grow while they are written"));
    this.inner = new DeviceTarget(device, true);
    // What cannot be made smaller is found out before anything came.
    long size = device.size();
    resizing.resize(size + LEAST_STEP);
    resizing.resize(size);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    long needed = offset + src.remaining();
    if (needed > device.size()) {
      resizing.resize(roundUp(needed + Math.max(LEAST_STEP, needed / 2)));
    }
    inner.write(src, offset);
    end = needed;
  }

  private static long roundUp(long bytes) {
    return (bytes + SECTOR - 1) & -SECTOR;
  }

  @Override
  public void finish() throws IOException {
    inner.finish();
    resizing.resize(end);
  }

  @Override
  public void close() {}
}
