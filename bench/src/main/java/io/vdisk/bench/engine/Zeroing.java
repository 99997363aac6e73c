package io.vdisk.bench.engine;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Zeroing of what has data. */
public class Zeroing extends Fresh {
  /** Small, as each iteration writes all of it first. */
  private static final long MOST = 256L << 20;

  static long size(Folder folder) {
    return Math.min(MOST, folder.bytes());
  }

  @Override
  Batch batch(Folder folder) {
    return Batch.of(size(folder), size, order);
  }

  @Override
  Disk make(Subject asked, Folder folder) throws IOException {
    BlockDevice device = empty(folder);
    ByteBuffer data = Disk.buffer();
    for (int i = 0; i < data.capacity(); i++) {
      data.put(i, (byte) 1);
    }
    for (long offset = 0; offset < size(folder); offset += data.capacity()) {
      device.write(data.rewind(), offset);
    }
    device.flush();
    return asked.open(device, folder.fresh(), true, cache);
  }
}
