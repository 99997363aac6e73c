package io.vdisk.backend.tap.disk;

import io.vdisk.ImageException;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.SecretException;
import io.vdisk.file.FileLockedException;
import io.vdisk.spi.NoSpaceException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;

/**
 * Linux's numbers of errors, as they stand in an answer of a tapdisk and are the exit codes of
 * Xen's tools, with the sentences that its C library prints for them.
 */
public enum Errno {
  /** There is no such file, driver or disk. */
  ENOENT(2, "No such file or directory"),
  /** A wait was cut short. */
  EINTR(4, "Interrupted system call"),
  /** The host failed. */
  EIO(5, "Input/output error"),
  /** Not now: something is still in the way. */
  EAGAIN(11, "Resource temporarily unavailable"),
  /** There is not enough memory. */
  ENOMEM(12, "Cannot allocate memory"),
  /** The host does not allow it. */
  EACCES(13, "Permission denied"),
  /** Somebody else uses it. */
  EBUSY(16, "Device or resource busy"),
  /** It is there already. */
  EEXIST(17, "File exists"),
  /** There is no such virtual block device. */
  ENODEV(19, "No such device"),
  /** It is a directory, and a file is wanted. */
  EISDIR(21, "Is a directory"),
  /** What was asked makes no sense. */
  EINVAL(22, "Invalid argument"),
  /** There is no room. */
  ENOSPC(28, "No space left on device"),
  /** It can only be read. */
  EROFS(30, "Read-only file system"),
  /** A number is too large. */
  ERANGE(34, "Numerical result out of range"),
  /** A name is too long. */
  ENAMETOOLONG(36, "File name too long"),
  /** The name is known, but not built. */
  ENOSYS(38, "Function not implemented"),
  /** The other side broke the rules. */
  EPROTO(71, "Protocol error"),
  /** Nobody knows that protocol. */
  EPROTONOSUPPORT(93, "Protocol not supported"),
  /** This way of speaking has no such thing. */
  EOPNOTSUPP(95, "Operation not supported"),
  /** The other side left. */
  ECONNRESET(104, "Connection reset by peer"),
  /** No answer came in time. */
  ETIMEDOUT(110, "Connection timed out"),
  /** Nobody is there. */
  ECONNREFUSED(111, "Connection refused"),
  /** It is open already. */
  EALREADY(114, "Operation already in progress"),
  /** The disk became another one. */
  EMEDIUMTYPE(124, "Wrong medium type"),
  /** The key is missing or wrong. */
  ENOKEY(126, "Required key not available");

  private final int number;
  private final String text;

  Errno(int number, String text) {
    this.number = number;
    this.text = text;
  }

  /** The number, positive. */
  public int number() {
    return number;
  }

  /** What the C library prints for a number. */
  public static String describe(int number) {
    for (Errno known : values()) {
      if (known.number == number) {
        return known.text;
      }
    }
    return "Unknown error " + number;
  }

  /** The number that fits a failure best. */
  public static Errno of(Throwable failure) {
    Throwable cause = failure.getCause();
    if (failure instanceof UncheckedIOException && cause != null) {
      return of(cause);
    }
    if (failure instanceof FileLockedException) {
      return EBUSY;
    }
    if (failure instanceof NoSuchFileException) {
      return ENOENT;
    }
    if (failure instanceof FileAlreadyExistsException) {
      return EEXIST;
    }
    if (failure instanceof AccessDeniedException || failure instanceof ReferenceDeniedException) {
      return EACCES;
    }
    if (isOfNoSpace(failure)) {
      return ENOSPC;
    }
    if (failure instanceof SecretException) {
      return ENOKEY;
    }
    if (failure instanceof FileSystemException refused && refused.getFile() != null) {
      return ofFile(refused.getFile());
    }
    return failure instanceof ImageException || failure instanceof IllegalArgumentException
        ? EINVAL
        : EIO;
  }

  /**
   * Of a file for which the exception has no type: the file tells, whatever the host's language.
   */
  private static Errno ofFile(String name) {
    try {
      Path file = Path.of(name);
      if (Files.isDirectory(file)) {
        return EISDIR;
      }
      return Files.getFileStore(file).isReadOnly() ? EROFS : EIO;
    } catch (IOException | InvalidPathException e) {
      return EIO;
    }
  }

  /** The host tells by nothing but its text. */
  private static boolean isOfNoSpace(Throwable failure) {
    String message = failure.getMessage();
    return failure instanceof NoSpaceException
        || (message != null && (message.contains(ENOSPC.text) || message.contains(NoSpace.TEXT)));
  }

  /** That text in the language which the host speaks: a write to its full device tells. */
  private static final class NoSpace {
    static final String TEXT = text();

    private static String text() {
      try (FileChannel full = FileChannel.open(Path.of("/dev/full"), StandardOpenOption.WRITE)) {
        int unused = full.write(ByteBuffer.allocate(1));
      } catch (FileSystemException e) {
        return ENOSPC.text; // there is no such device
      } catch (IOException e) {
        return Objects.requireNonNullElse(e.getMessage(), ENOSPC.text);
      }
      return ENOSPC.text;
    }
  }
}
