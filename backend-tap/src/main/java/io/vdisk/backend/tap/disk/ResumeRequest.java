package io.vdisk.backend.tap.disk;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What {@code unpause} asks of a disk. Immutable.
 *
 * @param name another image than before; empty: the same
 * @param log the log of changed blocks from now on; empty: none any more
 * @param secondary another secondary, {@code null} for none; empty: as before
 */
public record ResumeRequest(Optional<String> name, Optional<Path> log, Optional<String> secondary) {
  /** The same image, without a log. */
  public static final ResumeRequest SAME =
      new ResumeRequest(Optional.empty(), Optional.empty(), Optional.empty());

  /** Another image, without a log. */
  public static ResumeRequest of(String name) {
    return new ResumeRequest(Optional.of(name), Optional.empty(), Optional.empty());
  }

  /** What was asked when the disk was opened, with what is asked now. */
  OpenRequest applyTo(OpenRequest before) {
    OpenRequest request = before.withName(name.orElse(before.name())).withLog(log);
    return secondary.map(request::withSecondary).orElse(request);
  }
}
