package io.vdisk.spi;

import java.io.IOException;

/** The host file has no room and cannot grow; recycling freed space may help. */
public final class NoSpaceException extends IOException {
  private static final long serialVersionUID = 1;

  /** The message is the host's. */
  public NoSpaceException(String message) {
    super(message);
  }

  /** The message is the host's. */
  public NoSpaceException(String message, Throwable cause) {
    super(message, cause);
  }
}
