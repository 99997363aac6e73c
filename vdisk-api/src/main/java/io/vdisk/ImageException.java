package io.vdisk;

import java.io.IOException;

/**
 * The image itself is the trouble, not the host. The message names the file and, where there is
 * one, the byte offset and the field.
 */
public abstract class ImageException extends IOException {
  private static final long serialVersionUID = 1;

  ImageException(String message) {
    super(message);
  }

  ImageException(String message, Throwable cause) {
    super(message, cause);
  }
}
