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
   * @return the compressed bytes, to be given to {@link #append}; empty if they would not be fewer
   */
  ByteBuffer encode(ByteBuffer unit) throws IOException;

  /**
   * Stores one unit at the next place in the file: in the order of the calls, so that the same
   * input gives the same file. One thread at a time.
   *
   * @param offset guest offset of the unit
   * @param unit the unit as it reads
   * @param encoded what {@link #encode} returned; empty: the unit is written as it is
   */
  void append(long offset, ByteBuffer unit, ByteBuffer encoded) throws IOException;
}
