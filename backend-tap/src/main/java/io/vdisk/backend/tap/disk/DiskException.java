package io.vdisk.backend.tap.disk;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/** What was asked of a disk cannot be done: one sentence, and the number for the wire. */
public class DiskException extends IOException {
  private static final long serialVersionUID = 1;

  private final Errno errno;

  /** The message is one sentence that names the disk and the trouble. */
  public DiskException(Errno errno, String message) {
    super(message);
    this.errno = errno;
  }

  DiskException(Errno errno, String message, Throwable cause) {
    super(message, cause);
    this.errno = errno;
  }

  /** The same trouble with its number; a {@link DiskException} stays what it is. */
  public static DiskException of(IOException e) {
    if (e instanceof DiskException disk) {
      return disk;
    }
    return new DiskException(Errno.of(e), sentence(e), e);
  }

  private static String sentence(IOException e) {
    if (e instanceof NoSuchFileException file) {
      return file.getFile() + " does not exist";
    }
    if (e instanceof AccessDeniedException file) {
      return file.getFile() + ": permission denied";
    }
    String message = e.getMessage();
    return message == null ? e.toString() : message;
  }

  /** The error number. */
  public final Errno errno() {
    return errno;
  }
}
