package io.vdisk.backend.tap.disk;

import java.util.EnumSet;
import java.util.Set;

/** How a disk is opened (TAPDISK_MESSAGE_FLAG_* of tapdisk-message.h). */
public enum OpenFlag {
  /** Others may write to it too. */
  SHARED(0x1),
  /** Nothing may be written. */
  READ_ONLY(0x2),
  /** A cache of blocks in memory; refused. */
  ADD_CACHE(0x4),
  /** An index over VHDs; refused. */
  VHD_INDEX(0x8),
  /** There is a log of changed blocks, whose name follows the message; in Xen 4.1 none does. */
  ADD_LOG(0x10),
  /** What is read from a parent is copied into the image; see {@link CopyOnReadDevice}. */
  LOCAL_CACHE(0x20),
  /** The parents are those of another minor; refused. */
  REUSE_PARENT(0x40),
  /** There is a second image. */
  SECONDARY(0x80),
  /** The second image takes over when the first has no space, rather than mirror it. */
  STANDBY(0x100),
  /** Through the host's page cache. */
  NO_O_DIRECT(0x200),
  /** There is a key, which follows the message. */
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
  public static Set<OpenFlag> of(long word) throws DiskException {
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

  /** The word that has these flags. */
  public static int word(Set<OpenFlag> flags) {
    return flags.stream().mapToInt(flag -> flag.bit).sum();
  }
}
