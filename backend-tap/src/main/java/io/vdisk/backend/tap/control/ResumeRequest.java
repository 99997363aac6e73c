package io.vdisk.backend.tap.control;

import java.util.Optional;

/**
 * How to go on after a pause.
 *
 * @param disk another disk than before
 * @param secondary another disk to mirror to
 * @param log a log of changed blocks; without one logging ends
 */
public record ResumeRequest(
    Optional<String> disk, Optional<String> secondary, Optional<String> log) {
  /** The same disk as before, and no log. */
  public static ResumeRequest same() {
    return new ResumeRequest(Optional.empty(), Optional.empty(), Optional.empty());
  }
}
