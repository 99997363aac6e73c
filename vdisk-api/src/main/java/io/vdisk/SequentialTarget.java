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
}
