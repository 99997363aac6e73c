package io.vdisk.backend.tap.disk;

import io.vdisk.file.FileLockedException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.Objects;

/**
 * What was asked of a tapdisk, or of one of its disks, cannot be done: one sentence that names the
 * disk and the trouble, and the number for the wire.
 */
public class DiskException extends IOException {
  private static final long serialVersionUID = 1;

  private final int number;

  /** A failure with its sentence. */
  public DiskException(Errno errno, String sentence) {
    this(errno.number(), sentence);
  }

  /** A failure that another one caused. */
  public DiskException(Errno errno, String sentence, Throwable cause) {
    super(Objects.requireNonNull(sentence), cause);
    this.number = errno.number();
  }

  /**
   * A failure with a number that another program gave.
   *
   * @throws IllegalArgumentException if {@code number} is not positive
   */
  public DiskException(int number, String sentence) {
    super(Objects.requireNonNull(sentence));
    if (number <= 0) {
      throw new IllegalArgumentException("error number " + number);
    }
    this.number = number;
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
    if (e instanceof FileLockedException locked) {
      return locked.file() + " is in use: it is open elsewhere, and only readers share an image";
    }
    String message = e.getMessage();
    return message == null ? e.toString() : message;
  }

  /** The number of the error, positive; {@link Errno} has those that arise here. */
  public final int number() {
    return number;
  }

  /** Whether it is this one. */
  public final boolean is(Errno errno) {
    return number == errno.number();
  }

  /** What went wrong. */
  public final String sentence() {
    return Objects.requireNonNull(getMessage());
  }
}
