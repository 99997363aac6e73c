package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.backend.tap.DiskInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.LongAdder;

/**
 * The first image of a chain, which counts from which of the images it is read. What one of them
 * reads for itself, as to fill the rest of a unit that is written in part, is not counted. Any
 * thread may call.
 */
final class ChainDevice extends ForwardingDevice {
  private final LongAdder[] sectors;

  /**
   * Stays its opener's.
   *
   * @param images how many; what lies below the last is counted as the last's
   */
  ChainDevice(BlockDevice first, int images) {
    super(first);
    this.sectors = new LongAdder[images];
    for (int i = 0; i < images; i++) {
      sectors[i] = new LongAdder();
    }
  }

  /** Sectors that were read from an image, 0 the first. */
  long sectorsOf(int image) {
    return sectors[image].sum();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    long length = dst.remaining();
    super.read(dst, offset);
    try {
      count(offset, offset + length);
    } catch (IOException e) {
      assert length > 0; // the guest has its data: a number is missing, no more
    }
  }

  private void count(long start, long end) throws IOException {
    for (long at = start; at < end; ) {
      Extent extent = device().extentAt(at, end - at);
      int image = Math.min(extent.depth(), sectors.length - 1);
      sectors[image].add(extent.length() / DiskInfo.SECTOR);
      at += extent.length();
    }
  }
}
