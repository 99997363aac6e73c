package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/** Where {@link Parameters} lie in a message. */
sealed interface ParametersLayout permits LongParameters, ShortParameters {
  /** Reads them from a whole message. */
  Parameters read(ByteBuffer message) throws DiskException;

  /** Writes them to a whole message of zeroes. */
  void write(Parameters parameters, ByteBuffer message) throws DiskException;

  /** The layout of the whole message. */
  Struct struct();

  static ParametersLayout of(Generation generation) {
    return generation == Generation.TODAY ? new LongParameters() : new ShortParameters();
  }
}
