package io.vdisk.format.vhd;

import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/**
 * The checksum of the format: the one's complement of the sum of a structure's bytes, the field
 * itself left out. Source: Virtual Hard Disk Image Format Specification 1.0, "Checksum".
 */
final class ChecksumField {
  private ChecksumField() {}

  /** What belongs into {@code field} of the structure in the first {@code length} bytes. */
  static long calculate(ByteBuffer structure, int length, Struct.U32 field) {
    return ~(sum(structure, 0, length) - sum(structure, field.offset(), field.length()))
        & 0xffff_ffffL;
  }

  /** The sum of a range of bytes. */
  static long sum(ByteBuffer bytes, int offset, int length) {
    long sum = 0;
    for (int i = offset; i < offset + length; i++) {
      sum += bytes.get(i) & 0xff;
    }
    return sum;
  }
}
