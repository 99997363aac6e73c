package io.vdisk.bench.engine;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** What requests go to. Offsets are the guest's; buffers are direct. */
interface Disk extends Closeable {
  /** Bytes of the largest request. */
  int LARGEST = 1 << 20;

  void read(ByteBuffer dst, long offset) throws IOException;

  void write(ByteBuffer src, long offset) throws IOException;

  void zero(long offset, int length) throws IOException;
}
