package io.vdisk;

/** The image is well-formed as far as it goes, but needs something that is not there. */
public final class UnsupportedImageException extends ImageException {
  private static final long serialVersionUID = 1;

  /** The message names the file and the feature that is missing. */
  public UnsupportedImageException(String message) {
    super(message);
  }
}
