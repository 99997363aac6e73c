package io.vdisk.backend.tap.control;

/**
 * Linux's numbers of errors, as they stand in an answer and are the exit codes of tap-ctl, with the
 * sentences that its C library prints for them.
 */
public enum ErrorNumber {
  ENOENT(2, "No such file or directory"),
  EINTR(4, "Interrupted system call"),
  EIO(5, "Input/output error"),
  EAGAIN(11, "Resource temporarily unavailable"),
  ENOMEM(12, "Cannot allocate memory"),
  EACCES(13, "Permission denied"),
  EBUSY(16, "Device or resource busy"),
  EEXIST(17, "File exists"),
  ENODEV(19, "No such device"),
  EINVAL(22, "Invalid argument"),
  ENOSPC(28, "No space left on device"),
  EROFS(30, "Read-only file system"),
  ERANGE(34, "Numerical result out of range"),
  ENAMETOOLONG(36, "File name too long"),
  ENOSYS(38, "Function not implemented"),
  EPROTO(71, "Protocol error"),
  EOPNOTSUPP(95, "Operation not supported"),
  ECONNRESET(104, "Connection reset by peer"),
  ETIMEDOUT(110, "Connection timed out"),
  ECONNREFUSED(111, "Connection refused"),
  EALREADY(114, "Operation already in progress"),
  EMEDIUMTYPE(124, "Wrong medium type"),
  ENOKEY(126, "Required key not available");

  private final int number;
  private final String text;

  ErrorNumber(int number, String text) {
    this.number = number;
    this.text = text;
  }

  /** The number, positive. */
  public int number() {
    return number;
  }

  /** What the C library prints for a number. */
  public static String describe(int number) {
    for (ErrorNumber known : values()) {
      if (known.number == number) {
        return known.text;
      }
    }
    return "Unknown error " + number;
  }
}
