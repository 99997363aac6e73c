package io.vdisk;

/** The image contradicts its format, or itself. */
public class CorruptImageException extends ImageException {
  private static final long serialVersionUID = 1;

  /** The message names file, offset and field. */
  public CorruptImageException(String message) {
    super(message);
  }

  /** The message names file, offset and field. */
  public CorruptImageException(String message, Throwable cause) {
    super(message, cause);
  }
}
