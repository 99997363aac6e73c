package io.vdisk;

import java.io.Closeable;
import java.io.IOException;
import java.util.OptionalLong;

/** An image that can only be read in the order in which it arrives. One thread. */
public interface SequentialSource extends Closeable {
  /** What the image says of itself; its virtual size is 0 where {@link #virtualSize} is empty. */
  ImageInfo info();

  /** Bytes of the disk; empty where that shows at the end only, as in raw bytes from a pipe. */
  default OptionalLong virtualSize() {
    return OptionalLong.of(info().virtualSize());
  }

  /**
   * Takes the next range. Each guest byte comes at most once, in ascending order; what never comes
   * is zero.
   *
   * @return false when there is no more, {@code into} is then empty
   */
  boolean next(Piece into) throws IOException;

  /**
   * Reads a device from its first byte to its last, and passes over what it knows to be zero.
   *
   * @param device stays the caller's
   */
  static SequentialSource of(BlockDevice device) {
    return new DeviceSource(device);
  }
}
