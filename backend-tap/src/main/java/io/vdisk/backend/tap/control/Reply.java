package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a tapdisk answers: messages, and a text that follows them.
 *
 * @param messages one, or the row of a list
 * @param following JSON behind a {@link StatisticsLength}, else empty
 */
record Reply(List<ControlMessage> messages, String following) {
  static Reply of(ControlMessage message) {
    return new Reply(List.of(message), "");
  }

  /**
   * That a request failed. In Xen 4.0 to 4.2 the usual answer has a place for the error, and its
   * tap-ctl takes an error message for a breach of the protocol; today it is the other way round.
   */
  static Reply failure(
      MessageType request, int cookie, DiskException failure, Generation generation) {
    MessageType answer = generation == Generation.TODAY ? MessageType.ERROR : answer(request);
    return of(new ControlMessage(answer, cookie, Outcome.of(failure)));
  }

  private static MessageType answer(MessageType request) {
    return switch (request) {
      case ATTACH -> MessageType.ATTACH_RSP;
      case DETACH -> MessageType.DETACH_RSP;
      case PAUSE -> MessageType.PAUSE_RSP;
      case RESUME -> MessageType.RESUME_RSP;
      case CLOSE, FORCE_SHUTDOWN -> MessageType.CLOSE_RSP;
      default -> MessageType.ERROR;
    };
  }

  /** All the bytes: an answer is one write. */
  ByteBuffer encode(Generation generation) throws DiskException {
    byte[] text = following.getBytes(StandardCharsets.UTF_8);
    ByteBuffer all = ByteBuffer.allocate(messages.size() * generation.messageSize() + text.length);
    for (ControlMessage message : messages) {
      all.put(message.encode(generation));
    }
    return all.put(text).flip();
  }
}
