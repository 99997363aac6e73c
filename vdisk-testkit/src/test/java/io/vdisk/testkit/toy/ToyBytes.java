package io.vdisk.testkit.toy;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A whole file in memory, for checks; zero past its end. */
final class ToyBytes {
  private final ByteBuffer bytes;

  ToyBytes(HostFile file) throws IOException {
    bytes = ByteBuffer.allocate(Math.toIntExact(file.size()));
    file.readFully(bytes, 0);
  }

  /** Whether the file has a byte at {@code offset}. */
  boolean has(long offset) {
    return offset >= 0 && offset < bytes.capacity();
  }

  /** Word {@code i} of a table. */
  long word(long table, int i) {
    long at = table + (long) i * Long.BYTES;
    return at >= 0 && at <= bytes.capacity() - Long.BYTES ? bytes.getLong((int) at) : 0;
  }
}
