package io.vdisk.host.linux;

import java.io.IOException;

/**
 * Something that not every kernel and file system can do: where one has said so, it is not asked
 * again for this file.
 */
final class Ability {
  private volatile boolean missing;

  boolean isMissing() {
    return missing;
  }

  void miss() {
    missing = true;
  }

  /**
   * Whether a call did what it should; false if it could not, and did nothing.
   *
   * @throws IOException if it could, and failed
   */
  boolean did(long result) throws IOException {
    if (result >= 0) {
      return true;
    }
    switch ((int) -result) {
      case Errno.EOPNOTSUPP, Errno.ENOSYS, Errno.ENODEV, Errno.ENOTTY, Errno.EXDEV -> miss();
      case Errno.EINVAL, Errno.EBUSY -> {} // not this range, or not now: devices want whole sectors
      default -> throw Errno.failure(result);
    }
    return false;
  }
}
