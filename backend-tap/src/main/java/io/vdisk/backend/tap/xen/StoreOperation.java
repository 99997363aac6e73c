package io.vdisk.backend.tap.xen;

import java.util.Optional;

/** The types of messages that this client sends or gets ({@code xs_wire.h}, xsd_sockmsg_type). */
enum StoreOperation {
  DIRECTORY(1),
  READ(2),
  GET_PERMS(3),
  WATCH(4),
  UNWATCH(5),
  TRANSACTION_START(6),
  TRANSACTION_END(7),
  GET_DOMAIN_PATH(10),
  WRITE(11),
  MKDIR(12),
  RM(13),
  SET_PERMS(14),
  WATCH_EVENT(15),
  ERROR(16),
  IS_DOMAIN_INTRODUCED(17),
  DIRECTORY_PART(22);

  private final int code;

  StoreOperation(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  /** Whether it is about watches, which the kernel's device answers by itself. */
  boolean isOfWatches() {
    return this == WATCH || this == UNWATCH;
  }

  static Optional<StoreOperation> of(int code) {
    for (StoreOperation operation : values()) {
      if (operation.code == code) {
        return Optional.of(operation);
      }
    }
    return Optional.empty();
  }
}
