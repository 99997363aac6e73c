package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/**
 * A message of the control socket: struct tapdisk_message of xapi's include/tapdisk-message.h, 544
 * bytes, and of Xen 4.0 to 4.2, 280 bytes; little-endian. Immutable.
 *
 * <pre>
 * 0  2  type
 * 2  2  cookie: the minor
 * 4  4  zero
 * 8     one of the bodies
 * </pre>
 *
 * @param type what it asks or answers
 * @param cookie 0 to 65,535: the minor in a request, and the same in its answer
 * @param body what the type has
 */
public record ControlMessage(MessageType type, int cookie, MessageBody body) {
  /** The cookie for no minor, or for all. */
  static final int NO_MINOR = 0xffff;

  private static final Struct HEADER = Struct.littleEndian("tapdisk_message");
  private static final Struct.U16 TYPE = HEADER.u16("type");
  private static final Struct.U16 COOKIE = HEADER.u16("cookie");

  static {
    HEADER.end(4);
  }

  /**
   * A message.
   *
   * @throws IllegalArgumentException if the cookie is out of range
   */
  public ControlMessage {
    if (cookie < 0 || cookie > 0xffff) {
      throw new IllegalArgumentException("cookie " + cookie);
    }
  }

  /** A message without a body. */
  static ControlMessage of(MessageType type, int cookie) {
    return new ControlMessage(type, cookie, new NoBody());
  }

  /** That a request failed. */
  static ControlMessage error(int cookie, DiskException failure) {
    return new ControlMessage(MessageType.ERROR, cookie, Outcome.of(failure));
  }

  /** The cookie of the message in a buffer, whatever its type. */
  static int cookie(ByteBuffer message) {
    return COOKIE.get(message, 0);
  }

  /**
   * Reads a message.
   *
   * @param message all its bytes, from index 0 on; the position stays
   * @throws DiskException with EINVAL if the type or a field is not one of this generation
   * @throws IllegalArgumentException if the buffer does not hold exactly one message
   */
  static ControlMessage decode(ByteBuffer message, Generation generation) throws DiskException {
    if (message.limit() != generation.messageSize()) {
      throw new IllegalArgumentException("a message of " + message.limit() + " bytes");
    }
    int number = TYPE.get(message, 0);
    MessageType type =
        MessageType.of(number, generation)
            .orElseThrow(() -> new DiskException(Errno.EINVAL, "no message has type " + number));
    return new ControlMessage(type, cookie(message), body(type, message, generation));
  }

  private static MessageBody body(MessageType type, ByteBuffer message, Generation generation)
      throws DiskException {
    return switch (type.shape()) {
      case NOTHING -> new NoBody();
      case PARAMETERS -> ParametersLayout.of(generation).read(message);
      case DISK_INFO -> Image.read(message);
      case PROCESS_ID -> ProcessId.read(message);
      case OUTCOME -> Outcome.read(message);
      case MINOR_LIST -> MinorList.read(message);
      case DISK_LINE -> DiskLine.read(message);
      case STATISTICS_LENGTH -> StatisticsLength.read(message);
      case GUEST_RING -> GuestRing.read(message);
      case RATES -> Rates.read(message);
    };
  }

  /**
   * Writes the message.
   *
   * @return its bytes, as many as a message of the generation has, from position 0 on
   * @throws DiskException with EOPNOTSUPP if the generation has no such message or no place for one
   *     of its fields, with ENAMETOOLONG if a name does not fit
   */
  ByteBuffer encode(Generation generation) throws DiskException {
    int number =
        type.number(generation)
            .orElseThrow(
                () ->
                    new DiskException(
                        Errno.EOPNOTSUPP,
                        generation.text() + " has no message '" + type.text() + "'"));
    ByteBuffer message = ByteBuffer.allocate(generation.messageSize());
    TYPE.put(message, 0, number);
    COOKIE.put(message, 0, cookie);
    if (body instanceof Parameters parameters) {
      ParametersLayout.of(generation).write(parameters, message);
    } else if (body instanceof Image image) {
      image.write(message);
    } else if (body instanceof ProcessId process) {
      process.write(message);
    } else if (body instanceof Outcome outcome) {
      outcome.write(message);
    } else if (body instanceof MinorList minors) {
      minors.write(message);
    } else if (body instanceof DiskLine line) {
      line.write(message);
    } else if (body instanceof StatisticsLength length) {
      length.write(message);
    } else if (body instanceof GuestRing ring) {
      ring.write(message);
    } else if (body instanceof Rates rates) {
      rates.write(message);
    }
    return message;
  }
}
