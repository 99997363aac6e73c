package io.vdisk.backend.tap.control;

import java.util.Optional;

/**
 * The releases of blktap 1 by the header of their messages (msg_hdr_t of blktaplib.h). Which one is
 * spoken tells the first message, whose length is that of its header.
 */
public enum PipeDialect {
  /** Xen 3.0.3 and 3.0.4: type, length, driver, cookie. */
  XEN_3_0(8),
  /** Xen 3.1: and whether it is read-only, packed. */
  XEN_3_1(10),
  /** Xen 3.2 and later: padded. */
  XEN_3_2(16);

  private final int headerSize;

  PipeDialect(int headerSize) {
    this.headerSize = headerSize;
  }

  /** Bytes of a header. */
  int headerSize() {
    return headerSize;
  }

  boolean hasReadOnly() {
    return this != XEN_3_0;
  }

  static Optional<PipeDialect> ofHeader(int size) {
    for (PipeDialect dialect : values()) {
      if (dialect.headerSize == size) {
        return Optional.of(dialect);
      }
    }
    return Optional.empty();
  }

  /** The dialect of a release of Xen. */
  public static Optional<PipeDialect> of(String release) {
    return switch (release) {
      case "3.0.3", "3.0.4" -> Optional.of(XEN_3_0);
      case "3.1" -> Optional.of(XEN_3_1);
      case "3.2", "3.3", "3.4", "4.0", "4.1", "4.2" -> Optional.of(XEN_3_2);
      default -> Optional.empty();
    };
  }
}
