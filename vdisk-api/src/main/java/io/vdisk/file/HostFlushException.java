package io.vdisk.file;

import java.io.IOException;

/**
 * A host flush failed: nobody knows which of the writes before it are on the disk. It is final for
 * the file; a later flush that succeeded would be a lie, because the host drops what it could not
 * write (fsync(2) on Linux).
 */
public final class HostFlushException extends IOException {
  private static final long serialVersionUID = 1;

  /** The message names the file. */
  public HostFlushException(String message, Throwable cause) {
    super(message, cause);
  }
}
