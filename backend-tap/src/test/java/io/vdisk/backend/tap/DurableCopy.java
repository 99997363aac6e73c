package io.vdisk.backend.tap;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Random;

/**
 * What a disk still holds when the process is killed that has its tables in memory: what was
 * flushed, and of the rest some or nothing. Any thread.
 */
final class DurableCopy {
  private final WatchedDisk disk;
  private final ByteBuffer bytes;

  /** Of a disk that is zero. */
  DurableCopy(WatchedDisk disk) {
    this.disk = disk;
    this.bytes = ByteBuffer.allocate((int) disk.size());
    disk.afterFlush = this::flushed;
  }

  private synchronized void flushed() {
    try {
      disk.read(bytes.clear(), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The disk is as it is found after a kill. Nobody uses it meanwhile. */
  synchronized void forget(Random random) throws IOException {
    ByteBuffer found = ByteBuffer.allocate(bytes.capacity());
    disk.read(found, 0);
    for (int at = 0; at < bytes.capacity(); at += DiskModel.SECTOR) {
      if (random.nextBoolean()) {
        found.put(at, bytes, at, DiskModel.SECTOR);
      }
    }
    disk.write(found.clear(), 0);
  }
}
