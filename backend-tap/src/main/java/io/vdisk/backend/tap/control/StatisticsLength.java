package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/**
 * How much JSON follows the message (struct tapdisk_message_stat).
 *
 * @param bytes 0 to {@link #MAX_BYTES}
 */
public record StatisticsLength(int bytes) implements MessageBody {
  /** What a client takes: a disk's statistics are some hundred bytes for each image. */
  static final int MAX_BYTES = 64 << 20;

  static final Struct STRUCT = Struct.littleEndian("tapdisk_message_stat");
  private static final Struct.U64 LENGTH;

  static {
    STRUCT.bytes("header", 8);
    STRUCT.u16("type");
    STRUCT.u16("cookie");
    STRUCT.bytes("padding", 4);
    LENGTH = STRUCT.u64("length");
    STRUCT.end(24);
  }

  static StatisticsLength read(ByteBuffer message) throws DiskException {
    long length = LENGTH.get(message, 0);
    if (length < 0 || length > MAX_BYTES) {
      throw new DiskException(
          Errno.EPROTO, "statistics of " + Long.toUnsignedString(length) + " bytes are too many");
    }
    return new StatisticsLength((int) length);
  }

  void write(ByteBuffer message) {
    LENGTH.put(message, 0, bytes);
  }
}
