package io.vdisk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** A device as a stream of what it holds. One thread. */
final class DeviceSource implements SequentialSource {
  private final BlockDevice device;
  private final Iterator<Extent> extents;

  /** What is being read, and how far. */
  private @Nullable Extent current;

  private long position;

  DeviceSource(BlockDevice device) {
    this.device = device;
    this.extents = device.extents(0, device.size()).iterator();
  }

  @Override
  public ImageInfo info() {
    return device.info();
  }

  @Override
  public boolean next(Piece into) throws IOException {
    ByteBuffer buffer = into.buffer().clear();
    Extent extent = current();
    if (extent == null) {
      buffer.limit(0);
      return false;
    }
    long left = extent.offset() + extent.length() - position;
    buffer.limit((int) Math.min(buffer.capacity(), left));
    device.read(buffer, position);
    into.moveTo(position);
    position += buffer.flip().remaining();
    return true;
  }

  /** The extent that has bytes to read; null at the end. */
  private @Nullable Extent current() throws IOException {
    Extent extent = current;
    try {
      while (extent == null
          || extent.readsAsZero()
          || position == extent.offset() + extent.length()) {
        if (!extents.hasNext()) {
          return null;
        }
        extent = extents.next();
        position = extent.offset();
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    current = extent;
    return extent;
  }

  @Override
  public void close() {}
}
