package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.util.EnumSet;
import java.util.Set;

/** How a disk is opened (TAPDISK_MESSAGE_FLAG_* of tapdisk-message.h). */
public enum OpenFlag {
  SHARED(0x1),
  READ_ONLY(0x2),
  ADD_CACHE(0x4),
  VHD_INDEX(0x8),
  /** A log of changed blocks, whose name follows the message; in Xen 4.1 nothing follows. */
  ADD_LOG(0x10),
  /** Copy on read into the leaf. */
  LOCAL_CACHE(0x20),
  /** The parents are those of another minor. */
  REUSE_PARENT(0x40),
  SECONDARY(0x80),
  /** The secondary device is written only once the first has no space left. */
  STANDBY(0x100),
  /** Through the page cache. */
  NO_DIRECT(0x200),
  /** A key follows the message. */
  ENCRYPTED(0x400);

  private final int bit;

  OpenFlag(int bit) {
    this.bit = bit;
  }

  /**
   * The flags of a word.
   *
   * @throws DiskException with EINVAL if it has bits that mean nothing
   */
  static Set<OpenFlag> of(long word) throws DiskException {
    EnumSet<OpenFlag> flags = EnumSet.noneOf(OpenFlag.class);
    long rest = word;
    for (OpenFlag flag : values()) {
      if ((word & flag.bit) != 0) {
        flags.add(flag);
        rest &= ~flag.bit;
      }
    }
    if (rest != 0) {
      throw new DiskException(
          Errno.EINVAL, "the flags 0x" + Long.toHexString(rest) + " mean nothing");
    }
    return flags;
  }

  static int word(Set<OpenFlag> flags) {
    return flags.stream().mapToInt(flag -> flag.bit).sum();
  }
}
