package io.vdisk.feature;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Whole units can be stored compressed. The engine makes this feature of every writable layout that
 * can encode.
 */
public interface UnitWriter {
  /** Bytes of a unit. */
  int unit();

  /**
   * Compresses one whole unit. Many threads at once.
   *
   * @param unit a whole unit; its position is moved to its limit
   * @param target takes the compressed bytes from its position on, has room for a unit; best direct
   * @return bytes put into {@code target}, to be given to {@link #append}; 0 if they would not be
   *     fewer than the unit's
   */
  int encode(ByteBuffer unit, ByteBuffer target) throws IOException;

  /**
   * The same into a buffer of its own.
   *
   * @return the compressed bytes; empty if they would not be fewer
   */
  default ByteBuffer encode(ByteBuffer unit) throws IOException {
    ByteBuffer target = ByteBuffer.allocate(unit());
    encode(unit, target);
    return target.flip();
  }

  /**
   * Stores one unit at the next place in the file: in the order of the calls, so that the same
   * input gives the same file. One thread at a time.
   *
   * @param offset guest offset of the unit
   * @param unit the unit as it reads
   * @param encoded what {@link #encode} made of it; empty: the unit is written as it is
   */
  void append(long offset, ByteBuffer unit, ByteBuffer encoded) throws IOException;
}
