package io.vdisk.backend.tap.control;

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
 * @param key the key, with {@link OpenFlag#ENCRYPTED}. Whoever made the request wipes it as soon as
 *     the opening has ended
 */
public record OpenRequest(
    String disk,
    Set<OpenFlag> flags,
    int parentMinor,
    int timeoutSeconds,
    Optional<String> secondary,
    Optional<String> log,
    Optional<EncryptionKey> key) {
  /** A request whose flags cannot be changed. */
  public OpenRequest {
    flags = Set.copyOf(flags);
  }

  /** A request for a disk and no more. */
  public static OpenRequest of(String disk, OpenFlag... flags) {
    return new OpenRequest(
        disk, Set.of(flags), 0, 0, Optional.empty(), Optional.empty(), Optional.empty());
  }
}
