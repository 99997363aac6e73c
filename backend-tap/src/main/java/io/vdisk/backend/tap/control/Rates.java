package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/**
 * How much of a disk may go in a second. A message of ours: xapi's tapdisk has none for it.
 *
 * <pre>
 *  8  8  bytes in a second, 0 for as many as come
 * 16  8  bytes at once after a pause
 * 24  8  requests in a second, 0 for as many as come
 * 32  8  requests at once after a pause
 * </pre>
 *
 * @param rates what is allowed
 */
public record Rates(RateLimit.Rates rates) implements MessageBody {
  static final Struct STRUCT = Struct.littleEndian("rates");
  private static final Struct.U64 BYTES;
  private static final Struct.U64 BYTES_BURST;
  private static final Struct.U64 REQUESTS;
  private static final Struct.U64 REQUESTS_BURST;

  static {
    STRUCT.bytes("header", 8);
    BYTES = STRUCT.u64("bytes_per_second");
    BYTES_BURST = STRUCT.u64("bytes_burst");
    REQUESTS = STRUCT.u64("requests_per_second");
    REQUESTS_BURST = STRUCT.u64("requests_burst");
    STRUCT.end(40);
  }

  static Rates read(ByteBuffer message) throws DiskException {
    try {
      return new Rates(
          new RateLimit.Rates(
              BYTES.get(message, 0),
              BYTES_BURST.get(message, 0),
              REQUESTS.get(message, 0),
              REQUESTS_BURST.get(message, 0)));
    } catch (IllegalArgumentException e) {
      throw new DiskException(Errno.EINVAL, String.valueOf(e.getMessage()), e);
    }
  }

  void write(ByteBuffer message) {
    BYTES.put(message, 0, rates.bytesPerSecond());
    BYTES_BURST.put(message, 0, rates.bytesBurst());
    REQUESTS.put(message, 0, rates.requestsPerSecond());
    REQUESTS_BURST.put(message, 0, rates.requestsBurst());
  }
}
