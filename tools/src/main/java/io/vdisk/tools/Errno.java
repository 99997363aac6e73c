package io.vdisk.tools;

import io.vdisk.ImageException;
import io.vdisk.SecretException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.spi.NoSpaceException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;

/** Linux's numbers of errors, which are the exit codes of Xen's tools. */
final class Errno {
  static final int ENOENT = 2;
  static final int EIO = 5;
  static final int EACCES = 13;
  static final int EEXIST = 17;
  static final int EINVAL = 22;
  static final int ENOSPC = 28;
  static final int ENOSYS = 38;
  static final int ENOKEY = 126;

  private Errno() {}

  /** The number for a failure. */
  static int of(Throwable failure) {
    Throwable cause = failure.getCause();
    if (failure instanceof UncheckedIOException && cause != null) {
      return of(cause);
    }
    if (failure instanceof NoSuchFileException) {
      return ENOENT;
    }
    if (failure instanceof AccessDeniedException) {
      return EACCES;
    }
    if (failure instanceof FileAlreadyExistsException) {
      return EEXIST;
    }
    if (failure instanceof NoSpaceException) {
      return ENOSPC;
    }
    if (failure instanceof SecretException) {
      return ENOKEY;
    }
    if (failure instanceof UnsupportedImageException
        || failure instanceof ImageException
        || failure instanceof IllegalArgumentException) {
      return EINVAL;
    }
    return EIO;
  }
}
