package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The attached minors (struct tapdisk_message_minors).
 *
 * @param minors at most {@link #MAX_COUNT}
 */
public record MinorList(List<Integer> minors) implements MessageBody {
  /** TAPDISK_MESSAGE_MAX_MINORS: 256 bytes of numbers, less the count. */
  static final int MAX_COUNT = 63;

  static final Struct STRUCT = Struct.littleEndian("tapdisk_message_minors");
  private static final Struct.U32 COUNT;
  private static final List<Struct.U32> LIST = new ArrayList<>();

  static {
    STRUCT.bytes("header", 8);
    COUNT = STRUCT.u32("count");
    for (int i = 0; i < MAX_COUNT; i++) {
      LIST.add(STRUCT.u32("list[" + i + "]"));
    }
    STRUCT.end(264);
  }

  /** A list that cannot be changed. */
  public MinorList {
    minors = List.copyOf(minors);
  }

  static MinorList read(ByteBuffer message) throws DiskException {
    long count = COUNT.get(message, 0);
    if (count > MAX_COUNT) {
      throw new DiskException(Errno.EPROTO, count + " minors do not fit a message");
    }
    List<Integer> minors = new ArrayList<>();
    for (Struct.U32 field : LIST.subList(0, (int) count)) {
      minors.add((int) field.get(message, 0));
    }
    return new MinorList(minors);
  }

  void write(ByteBuffer message) throws DiskException {
    if (minors.size() > MAX_COUNT) {
      throw new DiskException(
          Errno.ERANGE, minors.size() + " minors are attached, and 63 fit a message");
    }
    COUNT.put(message, 0, minors.size());
    for (int i = 0; i < minors.size(); i++) {
      LIST.get(i).put(message, 0, Integer.toUnsignedLong(minors.get(i)));
    }
  }
}
