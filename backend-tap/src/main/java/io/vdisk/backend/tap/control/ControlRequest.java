package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskKey;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.ResumeRequest;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A message to a tapdisk with what follows it.
 *
 * @param message the message
 * @param log the name of a log, which follows where {@link OpenFlag#ADD_LOG} is set
 * @param key the key, which follows where {@link OpenFlag#ENCRYPTED} is set
 */
record ControlRequest(ControlMessage message, Optional<String> log, Optional<DiskKey> key) {
  static ControlRequest of(ControlMessage message) {
    return new ControlRequest(message, Optional.empty(), Optional.empty());
  }

  Parameters parameters() {
    if (message.body() instanceof Parameters parameters) {
      return parameters;
    }
    throw new IllegalStateException(message.type() + " has no parameters");
  }

  /**
   * What to open; with the key of this request, not a copy.
   *
   * @throws DiskException with EINVAL if the log's name is none
   */
  OpenRequest opening() throws DiskException {
    Parameters parameters = parameters();
    boolean hasParent = parameters.flags().contains(OpenFlag.REUSE_PARENT);
    return new OpenRequest(
        parameters.disk(),
        parameters.flags(),
        logPath(),
        secondary(),
        key,
        hasParent ? OptionalInt.of(parameters.parentMinor()) : OptionalInt.empty(),
        parameters.timeoutSeconds());
  }

  /**
   * How to go on.
   *
   * @throws DiskException with EINVAL if the log's name is none
   */
  ResumeRequest resuming() throws DiskException {
    String disk = parameters().disk();
    return new ResumeRequest(
        disk.isEmpty() ? Optional.empty() : Optional.of(disk), logPath(), secondary());
  }

  private Optional<Path> logPath() throws DiskException {
    try {
      return log.map(Path::of);
    } catch (InvalidPathException e) {
      throw new DiskException(Errno.EINVAL, "not a file name: " + e.getMessage(), e);
    }
  }

  private Optional<String> secondary() {
    Parameters parameters = parameters();
    return parameters.flags().contains(OpenFlag.SECONDARY)
        ? Optional.of(parameters.secondary())
        : Optional.empty();
  }
}
