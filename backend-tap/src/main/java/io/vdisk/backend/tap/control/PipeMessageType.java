package io.vdisk.backend.tap.control;

import java.util.Optional;

/** What goes over the pipes of blktap 1 (CTLMSG_* of blktaplib.h). */
enum PipeMessageType {
  PARAMS(1),
  IMG(2),
  IMG_FAIL(3),
  NEWDEV(4),
  NEWDEV_RSP(5),
  NEWDEV_FAIL(6),
  CLOSE(7),
  CLOSE_RSP(8),
  PID(9),
  PID_RSP(10);

  private final int number;

  PipeMessageType(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  static Optional<PipeMessageType> of(int number) {
    for (PipeMessageType type : values()) {
      if (type.number == number) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
