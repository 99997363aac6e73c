package io.vdisk;

import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A device that is written from its first byte to its last. One thread. */
final class DeviceTarget implements SequentialTarget {
  /** Zeroes are looked for in granules of at least a host's page. */
  private static final int LEAST_GRANULE = 4 << 10;

  private static final int MOST_GRANULE = 64 << 10;

  private final BlockDevice device;
  private final boolean empty;
  private final int granule;

  /** Where the last write ended. */
  private long position;

  DeviceTarget(BlockDevice device, boolean empty) {
    this.device = device;
    this.empty = empty;
    long unit = Long.highestOneBit(Math.max(LEAST_GRANULE, device.info().unit()));
    this.granule = (int) Math.min(MOST_GRANULE, unit);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    if (offset < position) {
      throw new IllegalArgumentException(offset + " is before " + position);
    }
    zeroTo(offset);
    position = offset + src.remaining();
    if (empty) {
      writeWithoutZeroes(src, offset);
    } else {
      device.write(src, offset);
    }
  }

  private void zeroTo(long offset) throws IOException {
    if (!empty && offset > position) {
      device.writeZeroes(position, offset - position);
    }
  }

  private void writeWithoutZeroes(ByteBuffer src, long offset) throws IOException {
    int limit = src.limit();
    int start = src.position();
    int from = start;
    while (from < limit) {
      int to = from;
      boolean isZero = isZero(src, from, granuleEnd(offset + from - start, from, limit));
      while (to < limit) {
        int end = granuleEnd(offset + to - start, to, limit);
        if (isZero(src, to, end) != isZero) {
          break;
        }
        to = end;
      }
      if (!isZero) {
        device.write(src.duplicate().limit(to).position(from), offset + from - start);
      }
      from = to;
    }
    src.position(limit);
  }

  private int granuleEnd(long offset, int index, int limit) {
    return (int) Math.min(limit, index + granule - offset % granule);
  }

  private static boolean isZero(ByteBuffer src, int from, int to) {
    return Zeroes.only(src.duplicate().limit(to).position(from));
  }

  @Override
  public void finish() throws IOException {
    zeroTo(device.size());
    position = device.size();
  }

  @Override
  public void close() {}
}
