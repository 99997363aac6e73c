package io.vdisk.backend.tap.xen;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The way of bytes to the store and back. One thread at a time writes, and one reads. */
interface StoreChannel extends Closeable {
  /** Writes a whole message. */
  void write(ByteBuffer message) throws IOException;

  /**
   * Waits for bytes, and reads up to {@code dst.remaining()} of them.
   *
   * @return their number; 0 if there will be none
   */
  int read(ByteBuffer dst) throws IOException;

  /** Ends it; who reads is told so. Any thread. */
  @Override
  void close() throws IOException;
}
