package io.vdisk.bench.engine;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** What requests go to. Offsets are the guest's; buffers are direct. */
interface Disk extends Closeable {
  /** Bytes of the largest request. */
  int LARGEST = 1 << 20;

  /** What memory begins at that is moved past the page cache. */
  int PAGE = 4096;

  /** A buffer for the largest request, at a page. */
  static ByteBuffer buffer() {
    return ByteBuffer.allocateDirect(LARGEST + PAGE - 1).alignedSlice(PAGE);
  }

  void read(ByteBuffer dst, long offset) throws IOException;

  void write(ByteBuffer src, long offset) throws IOException;

  void zero(long offset, int length) throws IOException;
}
