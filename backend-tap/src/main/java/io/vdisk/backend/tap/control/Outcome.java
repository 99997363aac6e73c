package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/**
 * How a request ended (struct tapdisk_message_response).
 *
 * @param error 0, or the positive number of an error
 * @param sentence what went wrong; xapi's tapdisk leaves it empty, and its tap-ctl does not look
 */
public record Outcome(int error, String sentence) implements MessageBody {
  static final Struct STRUCT = Struct.littleEndian("tapdisk_message_response");
  private static final Struct.U32 ERROR;
  private static final Struct.Bytes MESSAGE;

  static {
    STRUCT.bytes("header", 8);
    ERROR = STRUCT.u32("error");
    MESSAGE = STRUCT.bytes("message", 256);
    STRUCT.end(268);
  }

  /** That all went well. */
  static final Outcome DONE = new Outcome(0, "");

  static Outcome of(DiskException failure) {
    return new Outcome(failure.number(), failure.sentence());
  }

  static Outcome read(ByteBuffer message) throws DiskException {
    int error = (int) ERROR.get(message, 0);
    if (error < 0) {
      throw new DiskException(Errno.EPROTO, "the error number " + error + " is negative");
    }
    return new Outcome(error, WireText.get(MESSAGE, message));
  }

  void write(ByteBuffer message) {
    ERROR.put(message, 0, error);
    WireText.putSentence(MESSAGE, message, sentence);
  }

  /** The failure that it tells of; if it tells of none, EPROTO. */
  DiskException failure() {
    return error == 0
        ? new DiskException(Errno.EPROTO, "an error without a number")
        : new AnsweredException(error, sentence);
  }
}
