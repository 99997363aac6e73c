package io.vdisk.feature;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Writes by several threads whose space on the host is set aside one after another, in an order of
 * theirs, while their bytes move side by side: the same writes then make the same image. Made by
 * the engine for every writable image. Thread-safe.
 */
public interface OrderedWriter {
  /**
   * As {@code BlockDevice.write}.
   *
   * @param placed run, by the calling thread, as soon as all the space that this write needs is set
   *     aside: the next in order may begin. At least once where this returns; perhaps never where
   *     it throws
   */
  void write(ByteBuffer src, long offset, Runnable placed) throws IOException;
}
