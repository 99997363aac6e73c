package io.vdisk.feature;

import io.vdisk.file.HostFile;
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

  /**
   * Writes what a host file holds by sharing its blocks, without moving bytes.
   *
   * @param source no other writes to it during the call
   * @param placed as for {@link #write}; not run where nothing is taken
   * @return bytes taken, from the beginning of the range on; 0 if the host cannot, or the image
   *     keeps these bytes in another way
   */
  default long share(HostFile source, long sourceOffset, long offset, long length, Runnable placed)
      throws IOException {
    return 0;
  }
}
