package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import java.io.Closeable;
import java.io.IOException;

/** One image of an open disk; closed with it. */
record OpenImage(DiskDescriptor descriptor, BlockDevice device) implements Closeable {
  @Override
  public void close() throws IOException {
    device.close();
  }
}
