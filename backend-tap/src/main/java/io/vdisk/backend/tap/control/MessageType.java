package io.vdisk.backend.tap.control;

import static io.vdisk.backend.tap.control.MessageType.Shape.DISK_INFO;
import static io.vdisk.backend.tap.control.MessageType.Shape.DISK_LINE;
import static io.vdisk.backend.tap.control.MessageType.Shape.GUEST_RING;
import static io.vdisk.backend.tap.control.MessageType.Shape.MINOR_LIST;
import static io.vdisk.backend.tap.control.MessageType.Shape.NOTHING;
import static io.vdisk.backend.tap.control.MessageType.Shape.OUTCOME;
import static io.vdisk.backend.tap.control.MessageType.Shape.PARAMETERS;
import static io.vdisk.backend.tap.control.MessageType.Shape.PROCESS_ID;
import static io.vdisk.backend.tap.control.MessageType.Shape.RATES;
import static io.vdisk.backend.tap.control.MessageType.Shape.STATISTICS_LENGTH;

import java.util.Optional;

/**
 * What a message asks or answers, with its number in each {@link Generation} (enum
 * tapdisk_message_id of tapdisk-message.h) and the name that tap-ctl prints for it.
 */
public enum MessageType {
  ERROR(1, 1, 1, "error", OUTCOME),
  RUNTIME_ERROR(2, 2, 2, "unknown", OUTCOME),
  PID(3, 3, 3, "pid", NOTHING),
  PID_RSP(4, 4, 4, "pid response", PROCESS_ID),
  ATTACH(0, 5, 5, "attach", NOTHING),
  ATTACH_RSP(0, 6, 6, "attach response", OUTCOME),
  OPEN(5, 7, 7, "open", PARAMETERS),
  OPEN_RSP(6, 8, 8, "open response", DISK_INFO),
  PAUSE(7, 9, 9, "pause", NOTHING),
  PAUSE_RSP(8, 10, 10, "pause response", OUTCOME),
  RESUME(9, 11, 11, "resume", PARAMETERS),
  RESUME_RSP(10, 12, 12, "resume response", OUTCOME),
  CLOSE(11, 13, 13, "close", NOTHING),
  CLOSE_RSP(12, 14, 14, "close response", OUTCOME),
  DETACH(0, 15, 15, "detach", NOTHING),
  DETACH_RSP(0, 16, 16, "detach response", OUTCOME),
  LIST_MINORS(0, 17, 17, "list minors", NOTHING),
  LIST_MINORS_RSP(0, 18, 18, "list minors response", MINOR_LIST),
  LIST(0, 19, 19, "list", NOTHING),
  LIST_RSP(0, 20, 20, "list response", DISK_LINE),
  STATS(0, 0, 21, "stats", NOTHING),
  STATS_RSP(0, 0, 22, "stats response", STATISTICS_LENGTH),
  FORCE_SHUTDOWN(0, 21, 23, "force shutdown", NOTHING),
  XENBLKIF_CONNECT(0, 0, 24, "sring connect", GUEST_RING),
  XENBLKIF_CONNECT_RSP(0, 0, 25, "sring connect rsp", OUTCOME),
  XENBLKIF_DISCONNECT(0, 0, 26, "sring disconnect", GUEST_RING),
  XENBLKIF_DISCONNECT_RSP(0, 0, 27, "sring disconnect rsp", OUTCOME),
  DISK_INFO_REQUEST(0, 0, 28, "disk info", NOTHING),
  DISK_INFO_RSP(0, 0, 29, "disk info rsp", DISK_INFO),
  EXIT(13, 22, 30, "exit", NOTHING),

  /** Ours, far from the numbers of others. */
  LIMIT(0, 0, 200, "limit", RATES),
  LIMIT_RSP(0, 0, 201, "limit response", OUTCOME);

  /** Which member of the message's union it fills. */
  enum Shape {
    NOTHING,
    PARAMETERS,
    DISK_INFO,
    PROCESS_ID,
    OUTCOME,
    MINOR_LIST,
    DISK_LINE,
    STATISTICS_LENGTH,
    GUEST_RING,
    RATES
  }

  private final int xen40;
  private final int xen41;
  private final int today;
  private final String text;
  private final Shape shape;

  /** Numbers by generation, 0 where it has no such message. */
  MessageType(int xen40, int xen41, int today, String text, Shape shape) {
    this.xen40 = xen40;
    this.xen41 = xen41;
    this.today = today;
    this.text = text;
    this.shape = shape;
  }

  /** The number in a generation; empty if it has no such message. */
  public Optional<Integer> number(Generation generation) {
    int number = numberOrZero(generation);
    return number == 0 ? Optional.empty() : Optional.of(number);
  }

  private int numberOrZero(Generation generation) {
    return switch (generation) {
      case XEN_4_0 -> xen40;
      case XEN_4_1 -> xen41;
      case TODAY -> today;
    };
  }

  /** The message with a number in a generation; empty if it has none. */
  public static Optional<MessageType> of(int number, Generation generation) {
    for (MessageType type : values()) {
      if (number != 0 && type.numberOrZero(generation) == number) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  /** The name that tap-ctl prints. */
  public String text() {
    return text;
  }

  Shape shape() {
    return shape;
  }
}
