package io.vdisk.format.vhdx;

import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** The checksum of a structure: CRC-32C over all of it, with the field itself as zero. */
final class Crc {
  private static final byte[] FIELD = new byte[4];

  private final CRC32C crc = new CRC32C();

  /**
   * The checksum of a structure that fills {@code bytes} from its beginning to its limit.
   *
   * @param field where the structure has its checksum
   */
  static long of(ByteBuffer bytes, Struct.U32 field) {
    Crc crc = new Crc();
    crc.begin(bytes, field);
    return crc.value();
  }

  /** Takes the first part of a structure, which holds the field. */
  void begin(ByteBuffer bytes, Struct.U32 field) {
    ByteBuffer all = bytes.duplicate().rewind();
    int end = all.limit();
    crc.update(all.limit(field.offset()));
    crc.update(FIELD);
    crc.update(all.limit(end).position(field.offset() + FIELD.length));
  }

  /** Takes more of it: from position to limit, which stay. */
  void add(ByteBuffer bytes) {
    crc.update(bytes.duplicate());
  }

  long value() {
    return crc.getValue();
  }
}
