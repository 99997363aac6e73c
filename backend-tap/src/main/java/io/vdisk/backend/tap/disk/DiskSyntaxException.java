package io.vdisk.backend.tap.disk;

/** A text is no disk: says where it stopped making sense, and what was expected there. */
public final class DiskSyntaxException extends DiskException {
  private static final long serialVersionUID = 1;

  /** Longest text that is repeated whole in a message, characters. */
  private static final int SHOWN = 200;

  private final int position;

  DiskSyntaxException(String text, int position, String trouble) {
    super(
        Errno.EINVAL, "'" + shown(text) + "', character " + (position + 1) + ": " + shown(trouble));
    this.position = position;
  }

  private static String shown(String text) {
    String line = text.replaceAll("\\p{Cntrl}", " ");
    return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "...";
  }

  /** The character at which it went wrong, from 0 on. */
  public int position() {
    return position;
  }
}
