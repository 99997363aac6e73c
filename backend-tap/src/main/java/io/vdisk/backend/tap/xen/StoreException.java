package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.util.Arrays;

/** Xen's store refused a request, or cannot be reached: one sentence, and the name of the error. */
public final class StoreException extends IOException {
  private static final long serialVersionUID = 1;

  /** There is no such node. */
  static final String ENOENT = "ENOENT";

  /** The request makes no sense to the store. */
  static final String EINVAL = "EINVAL";

  /** Somebody else changed what a transaction is about. */
  static final String EAGAIN = "EAGAIN";

  /** The answer is larger than a message can be. */
  static final String E2BIG = "E2BIG";

  /** What came makes no sense. */
  static final String EPROTO = "EPROTO";

  /** The connection failed. */
  static final String EIO = "EIO";

  private final String error;

  StoreException(String error, String message) {
    super(message);
    this.error = error;
  }

  StoreException(String error, String message, Throwable cause) {
    super(message, cause);
    this.error = error;
  }

  /** The name of the error, as it stands on the wire: {@code ENOENT}, {@code EACCES} ... */
  public String error() {
    return error;
  }

  /** Its number, EIO for a name that none has here. */
  public Errno number() {
    return Arrays.stream(Errno.values())
        .filter(known -> known.name().equals(error))
        .findAny()
        .orElse(Errno.EIO);
  }

  boolean is(String name) {
    return error.equals(name);
  }
}
