package io.vdisk;

import java.nio.ByteBuffer;

/**
 * A range of guest data on its way through a {@link SequentialSource}; reused from call to call.
 * One thread.
 */
public final class Piece {
  private final ByteBuffer buffer;
  private long offset;

  /** A piece that takes up to {@code capacity} bytes at a time, at least 1. */
  public Piece(int capacity) {
    if (capacity < 1) {
      throw new IllegalArgumentException("capacity " + capacity);
    }
    this.buffer = ByteBuffer.allocateDirect(capacity).limit(0);
  }

  /** The first guest byte of what the buffer holds. */
  public long offset() {
    return offset;
  }

  /** The bytes between position and limit; a source fills it and flips it. */
  public ByteBuffer buffer() {
    return buffer;
  }

  /** Says where the content belongs; for sources. */
  public void moveTo(long guestOffset) {
    this.offset = guestOffset;
  }
}
