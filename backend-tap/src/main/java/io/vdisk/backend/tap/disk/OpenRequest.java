package io.vdisk.backend.tap.disk;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What {@code open} asks of a disk. Immutable.
 *
 * @param name {@code type:path}, a stack {@code type:path|type:path}, or {@code x-chain:file}
 * @param flags those of the control message, as numbered below; the others are ignored
 * @param log the log of changed blocks, which exists; empty: none
 * @param secondary {@code type:path} of a second image, {@code null} for none; empty: not said
 * @param key of an encrypted VHD; once the disk is open it is the disk's, which wipes it when it is
 *     closed. Empty: it lies beside the image, if anywhere
 * @param parentMinor the disk whose NBD server shall be the parent; empty: the image's own
 * @param timeoutSeconds after which the caller gives a request up; 0: not said. No request of ours
 *     is retried, so nothing here waits for it
 */
public record OpenRequest(
    String name,
    int flags,
    Optional<Path> log,
    Optional<String> secondary,
    Optional<DiskKey> key,
    OptionalInt parentMinor,
    int timeoutSeconds) {
  /** As a secondary: none. */
  public static final String NO_SECONDARY = "null";

  /** Flag: others may write to it too. */
  public static final int SHARED = 0x1;

  /** Flag: nothing may be written. */
  public static final int READ_ONLY = 0x2;

  /** Flag: a cache of blocks in memory; refused. */
  public static final int ADD_CACHE = 0x4;

  /** Flag: an index over VHDs; refused. */
  public static final int VHD_INDEX = 0x8;

  /** Flag: a cache of the parent; refused. */
  public static final int ADD_LOCAL_CACHE = 0x20;

  /** Flag: the parent is another disk's NBD server; refused. */
  public static final int REUSE_PARENT = 0x40;

  /** Flag: the secondary takes over when the image has no space, rather than mirror it. */
  public static final int STANDBY = 0x100;

  /** Flag: through the host's page cache. */
  public static final int NO_O_DIRECT = 0x200;

  /** Opens a disk for reading and writing. */
  public static OpenRequest of(String name) {
    return of(name, 0);
  }

  /** Opens a disk with flags of the control message. */
  public static OpenRequest of(String name, int flags) {
    return new OpenRequest(
        name, flags, Optional.empty(), Optional.empty(), Optional.empty(), OptionalInt.empty(), 0);
  }

  /** The same of another image. */
  public OpenRequest withName(String other) {
    return new OpenRequest(other, flags, log, secondary, key, parentMinor, timeoutSeconds);
  }

  /** The same with this flag too. */
  public OpenRequest withFlag(int flag) {
    return new OpenRequest(name, flags | flag, log, secondary, key, parentMinor, timeoutSeconds);
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
  public boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /** Whether it may not be written. */
  public boolean isReadOnly() {
    return has(READ_ONLY);
  }

  /** Whether there is a second image. */
  boolean hasSecondary() {
    return secondary.isPresent() && !secondary.get().equals(NO_SECONDARY);
  }

  /** Refuses what is known but not built. */
  void checkBuilt() throws DiskException {
    refuse(ADD_CACHE, "a cache of blocks in memory");
    refuse(VHD_INDEX, "an index over VHDs");
    refuse(ADD_LOCAL_CACHE, "a cache of the parent");
    refuse(REUSE_PARENT, "another disk's NBD server as parent");
    if (parentMinor.isPresent()) {
      throw notBuilt("another disk's NBD server as parent");
    }
  }

  private void refuse(int flag, String what) throws DiskException {
    if (has(flag)) {
      throw notBuilt(what);
    }
  }

  private DiskException notBuilt(String what) {
    return new DiskException(Errno.ENOSYS, name + ": " + what + " is not built here");
  }
}
