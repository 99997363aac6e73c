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
    if (result == -Errno.EOPNOTSUPP || result == -Errno.ENOSYS || result == -Errno.ENODEV) {
      miss();
      return false;
    }
    if (result == -Errno.EINVAL || result == -Errno.EBUSY) {
      return false; // not this range, or not now: a device wants whole sectors
    }
    Errno.check(result);
    return true;
  }
}
