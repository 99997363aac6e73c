package io.vdisk.backend.tap.control;

import java.util.Optional;

/**
 * The dialects of the control socket. A message of one is not told apart from another's by its
 * bytes, so that both sides must agree beforehand.
 */
public enum Generation {
  /** Xen 4.0: no attaching and no listing. */
  XEN_4_0("Xen 4.0", 280),
  /** Xen 4.1 and 4.2. */
  XEN_4_1("Xen 4.1", 280),
  /** xapi's blktap since it needs no kernel module. */
  TODAY("today's tapdisk", 544);

  private final String text;
  private final int messageSize;

  Generation(String text, int messageSize) {
    this.text = text;
    this.messageSize = messageSize;
  }

  /** Whose it is, in words. */
  String text() {
    return text;
  }

  /** Bytes of each message (sizeof(struct tapdisk_message)). */
  public int messageSize() {
    return messageSize;
  }

  /** The dialect of a release of Xen, or of "today". */
  public static Optional<Generation> of(String release) {
    return switch (release) {
      case "4.0" -> Optional.of(XEN_4_0);
      case "4.1", "4.2" -> Optional.of(XEN_4_1);
      case "today" -> Optional.of(TODAY);
      default -> Optional.empty();
    };
  }
}
