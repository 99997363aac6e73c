package io.vdisk.spi;

import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A block device over whose content an image is made. With the first change the device loses what
 * it was recognised by: the new header comes last, and until then there shall be no image. One
 * thread.
 */
final class UsedDevice extends ForwardingFile {
  /** Bytes at either end, where formats and partition tables have their signatures. */
  private static final int SIGNATURES = 64 << 10;

  private boolean wiped;

  UsedDevice(HostFile device) {
    super(device);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    wipe();
    file().write(src, offset);
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    wipe();
    return file().zero(offset, length, keepSpace);
  }

  private void wipe() throws IOException {
    if (wiped) {
      return;
    }
    wiped = true;
    long size = file().size();
    ByteBuffer zeroes = ByteBuffer.allocate((int) Math.min(SIGNATURES, size));
    file().write(zeroes.duplicate(), 0);
    file().write(zeroes, size - zeroes.capacity());
    file().flush();
  }
}
