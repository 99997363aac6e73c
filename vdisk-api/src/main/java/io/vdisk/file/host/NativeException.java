package io.vdisk.file.host;

import java.io.IOException;

/** A call that the host's kernel refused, with its reason. */
public final class NativeException extends IOException {
  private static final long serialVersionUID = 1;

  private final int errno;

  public NativeException(int errno, String message) {
    super(message);
    this.errno = errno;
  }

  /** The number of the error, as of {@code errno.h}. */
  public int errno() {
    return errno;
  }
}
