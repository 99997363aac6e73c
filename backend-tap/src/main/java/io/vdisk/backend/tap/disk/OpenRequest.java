package io.vdisk.backend.tap.disk;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What {@code open} asks of a disk. Immutable.
 *
 * @param name {@code type:path}, a stack {@code type:path|type:path}, or {@code x-chain:file}
 * @param flags how; those that say that there is a log, a secondary, a key or another disk as
 *     parent are set where there is one, and nowhere else
 * @param log the log of changed blocks, which exists; empty: none
 * @param secondary {@code type:path} of a second image, {@code null} for none; empty: not said
 * @param key of an encrypted VHD; once the disk is open it is the disk's, which wipes it when it is
 *     closed. Empty: it lies beside the image, if anywhere
 * @param parentMinor the disk whose NBD server shall be the parent; empty: the image's own
 * @param timeoutSeconds for which tapdisk repeats a request that failed with EAGAIN, EBUSY or EINTR
 *     (tapdisk-vbd.c); 0: not said. None of ours fails for such a reason, so it changes nothing
 */
public record OpenRequest(
    String name,
    Set<OpenFlag> flags,
    Optional<Path> log,
    Optional<String> secondary,
    Optional<DiskKey> key,
    OptionalInt parentMinor,
    int timeoutSeconds) {
  /** As a secondary: none. */
  public static final String NO_SECONDARY = "null";

  /** A request whose flags cannot be changed. */
  public OpenRequest {
    EnumSet<OpenFlag> all = EnumSet.noneOf(OpenFlag.class);
    all.addAll(flags);
    set(all, OpenFlag.ADD_LOG, log.isPresent());
    set(all, OpenFlag.SECONDARY, secondary.isPresent());
    set(all, OpenFlag.ENCRYPTED, key.isPresent());
    set(all, OpenFlag.REUSE_PARENT, parentMinor.isPresent());
    flags = Set.copyOf(all);
  }

  private static void set(Set<OpenFlag> flags, OpenFlag flag, boolean isSet) {
    if (isSet) {
      flags.add(flag);
    } else {
      flags.remove(flag);
    }
  }

  /** Opens a disk for reading and writing, or as the flags say. */
  public static OpenRequest of(String name, OpenFlag... flags) {
    return new OpenRequest(
        name,
        Set.of(flags),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalInt.empty(),
        0);
  }

  /** The same of another image. */
  public OpenRequest withName(String other) {
    return new OpenRequest(other, flags, log, secondary, key, parentMinor, timeoutSeconds);
  }

  /** The same with this flag too. */
  public OpenRequest withFlag(OpenFlag flag) {
    EnumSet<OpenFlag> more = EnumSet.of(flag);
    more.addAll(flags);
    return new OpenRequest(name, more, log, secondary, key, parentMinor, timeoutSeconds);
  }

  /** The same with a log of changed blocks, or none. */
  public OpenRequest withLog(Optional<Path> file) {
    return new OpenRequest(name, flags, file, secondary, key, parentMinor, timeoutSeconds);
  }

  /** The same with a secondary. */
  public OpenRequest withSecondary(String other) {
    return new OpenRequest(name, flags, log, Optional.of(other), key, parentMinor, timeoutSeconds);
  }

  /** The same with a key. */
  public OpenRequest withKey(DiskKey other) {
    return new OpenRequest(
        name, flags, log, secondary, Optional.of(other), parentMinor, timeoutSeconds);
  }

  /** The same with the NBD server of another disk as parent. */
  public OpenRequest withParentMinor(int minor) {
    return new OpenRequest(name, flags, log, secondary, key, OptionalInt.of(minor), timeoutSeconds);
  }

  /** The same with a time that the caller waits for a request. */
  public OpenRequest withTimeout(int seconds) {
    return new OpenRequest(name, flags, log, secondary, key, parentMinor, seconds);
  }

  /** Whether a flag is set. */
  public boolean has(OpenFlag flag) {
    return flags.contains(flag);
  }

  /** Whether it may not be written. */
  public boolean isReadOnly() {
    return has(OpenFlag.READ_ONLY);
  }

  /** Whether there is a second image. */
  boolean hasSecondary() {
    return secondary.isPresent() && !secondary.get().equals(NO_SECONDARY);
  }

  /**
   * Refuses what is known but not built. Copies of a parent take the very space whose end a standby
   * image waits for, and nothing is to be written to the image once that has come.
   */
  void checkBuilt() throws DiskException {
    refuse(OpenFlag.ADD_CACHE, "a cache of blocks in memory");
    refuse(OpenFlag.VHD_INDEX, "an index over VHDs");
    refuse(OpenFlag.REUSE_PARENT, "another disk's NBD server as parent");
    if (has(OpenFlag.LOCAL_CACHE) && has(OpenFlag.STANDBY) && hasSecondary()) {
      throw new DiskException(
          Errno.EINVAL, name + ": a cache of the parent does not go with a standby image");
    }
  }

  private void refuse(OpenFlag flag, String what) throws DiskException {
    if (has(flag)) {
      throw new DiskException(Errno.ENOSYS, name + ": " + what + " is not built here");
    }
  }
}
