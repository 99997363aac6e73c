package io.vdisk.backend.tap.disk;

import io.vdisk.ImageException;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.SecretException;
import io.vdisk.file.FileLockedException;
import io.vdisk.spi.NoSpaceException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;

/** The error numbers that go over the control socket: Linux's, which are those of every PC. */
public enum Errno {
  /** There is no such file, driver or disk. */
  ENOENT(2),
  /** The host failed. */
  EIO(5),
  /** Not now: something is still in the way. */
  EAGAIN(11),
  /** There is not enough memory. */
  ENOMEM(12),
  /** The host does not allow it. */
  EACCES(13),
  /** Somebody else uses it. */
  EBUSY(16),
  /** It is there already. */
  EEXIST(17),
  /** There is no such virtual block device. */
  ENODEV(19),
  /** What was asked makes no sense. */
  EINVAL(22),
  /** There is no room. */
  ENOSPC(28),
  /** It can only be read. */
  EROFS(30),
  /** A name is too long. */
  ENAMETOOLONG(36),
  /** The name is known, but not built. */
  ENOSYS(38),
  /** It is open already. */
  EALREADY(114),
  /** The disk became another one. */
  EMEDIUMTYPE(124),
  /** The key is missing or wrong. */
  ENOKEY(126);

  private final int number;

  Errno(int number) {
    this.number = number;
  }

  /** The number, positive. */
  public int number() {
    return number;
  }

  /** The number that fits an exception best. */
  public static Errno of(IOException e) {
    if (e instanceof DiskException disk) {
      return disk.errno();
    }
    if (e instanceof FileLockedException) {
      return EBUSY;
    }
    if (e instanceof NoSuchFileException) {
      return ENOENT;
    }
    if (e instanceof FileAlreadyExistsException) {
      return EEXIST;
    }
    if (e instanceof AccessDeniedException || e instanceof ReferenceDeniedException) {
      return EACCES;
    }
    if (isOfNoSpace(e)) {
      return ENOSPC;
    }
    if (e instanceof SecretException) {
      return ENOKEY;
    }
    return e instanceof ImageException ? EINVAL : EIO;
  }

  /** The host tells by nothing but its text. */
  private static boolean isOfNoSpace(IOException e) {
    String message = e.getMessage();
    return e instanceof NoSpaceException
        || (message != null && message.contains("No space left on device"));
  }
}
