package io.vdisk.backend.tap.control;

import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/**
 * What to open, and how.
 *
 * @param disk the type, a colon and the path, as it came
 * @param flags how
 * @param parentMinor whose parents to use, with {@link OpenFlag#REUSE_PARENT}
 * @param timeoutSeconds how long a request may take; 0 as long as it likes
 * @param secondary the disk to mirror to, with {@link OpenFlag#SECONDARY}
 * @param log the log of changed blocks, with {@link OpenFlag#ADD_LOG}
 * @param key the key, with {@link OpenFlag#ENCRYPTED}; else empty. Whoever made the request wipes
 *     it as soon as the opening has ended
 */
public record OpenRequest(
    String disk,
    Set<OpenFlag> flags,
    int parentMinor,
    int timeoutSeconds,
    Optional<String> secondary,
    Optional<String> log,
    byte[] key) {
  /** A request whose flags cannot be changed. */
  public OpenRequest {
    flags = Set.copyOf(flags);
  }

  /** A request for a disk and no more. */
  public static OpenRequest of(String disk, OpenFlag... flags) {
    return new OpenRequest(
        disk, Set.of(flags), 0, 0, Optional.empty(), Optional.empty(), new byte[0]);
  }

  /** Overwrites the key. */
  void wipe() {
    Arrays.fill(key, (byte) 0);
  }

  /** Two requests with the same bytes of key are equal. */
  @Override
  public boolean equals(Object other) {
    return other instanceof OpenRequest that
        && disk.equals(that.disk)
        && flags.equals(that.flags)
        && parentMinor == that.parentMinor
        && timeoutSeconds == that.timeoutSeconds
        && secondary.equals(that.secondary)
        && log.equals(that.log)
        && Arrays.equals(key, that.key);
  }

  @Override
  public int hashCode() {
    return disk.hashCode();
  }

  /** Without the key. */
  @Override
  public String toString() {
    return disk + " " + flags + ", a key of " + key.length + " bytes";
  }
}
