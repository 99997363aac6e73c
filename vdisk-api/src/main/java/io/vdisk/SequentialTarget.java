package io.vdisk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** An image that is written in ascending order to something that cannot seek. One thread. */
public interface SequentialTarget extends Closeable {
  /** Writes all of {@code src}; {@code offset} is not before the end of the last write. */
  void write(ByteBuffer src, long offset) throws IOException;

  /** Completes the image. Without this call what was written is not one. */
  void finish() throws IOException;

  /**
   * Writes to a device as large as the disk. To finish leaves the flush to the caller.
   *
   * @param device stays the caller's
   * @param empty whether it reads as zero everywhere: then zeroes are left out; otherwise it reads
   *     as zero where nothing is written when it is finished
   */
  static SequentialTarget of(BlockDevice device, boolean empty) {
    return new DeviceTarget(device, empty);
  }

  /**
   * Writes to an empty device that grows with what comes, and in the end is as large as that,
   * rounded up to sectors of 512 bytes where its format wants them.
   *
   * @param device small; stays the caller's
   * @throws UnsupportedImageException if it cannot grow and become smaller again
   */
  static SequentialTarget growing(BlockDevice device) throws IOException {
    return new GrowingTarget(device);
  }
}
