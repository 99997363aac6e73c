package io.vdisk.format.raw;

import io.vdisk.SequentialTarget;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** The bytes of a disk one after another, zeroes too. One thread. */
final class RawTarget implements SequentialTarget {
  private static final int STEP = 64 << 10;

  private final OutputStream out;
  private final long size;
  private final byte[] bytes = new byte[STEP];
  private final byte[] zeroes = new byte[STEP];
  private long position;

  /**
   * A target.
   *
   * @param size of the disk; 0: as much as comes
   */
  RawTarget(OutputStream out, long size) {
    this.out = out;
    this.size = size;
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    long end = offset + src.remaining();
    if (offset < position || (size > 0 && end > size)) {
      throw new IllegalArgumentException(
          "bytes from " + offset + " to " + end + " of a disk of " + size + ", at " + position);
    }
    zeroTo(offset);
    while (src.hasRemaining()) {
      int count = Math.min(bytes.length, src.remaining());
      src.get(bytes, 0, count);
      out.write(bytes, 0, count);
    }
    position = end;
  }

  private void zeroTo(long offset) throws IOException {
    while (position < offset) {
      int count = (int) Math.min(zeroes.length, offset - position);
      out.write(zeroes, 0, count);
      position += count;
    }
  }

  @Override
  public void finish() throws IOException {
    zeroTo(size);
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
