package io.vdisk.spi;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A writable layout that can also store compressed units; the engine makes {@code UnitWriter}. */
public interface EncodedWriting {
  /** Whether this image takes compressed units; constant. An enciphered one may not. */
  default boolean canEncode() {
    return true;
  }

  /**
   * Compresses one unit; many threads, no lock.
   *
   * @param unit a whole unit
   * @param target has room for a unit
   * @return bytes put into {@code target}; 0 if the unit does not shrink
   */
  int encode(ByteBuffer unit, ByteBuffer target) throws IOException;

  /**
   * Sets space aside for {@code encodedLength} bytes, right behind that of the last call, so that
   * the file depends on the input alone. The allocation has the unit's length, and no edges.
   */
  Allocation allocateEncoded(long offset, int encodedLength) throws IOException;
}
