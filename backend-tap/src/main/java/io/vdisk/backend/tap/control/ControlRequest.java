package io.vdisk.backend.tap.control;

import java.util.Arrays;
import java.util.Optional;

/**
 * A message to a tapdisk with what follows it.
 *
 * @param message the message
 * @param log the name of a log, which follows where {@link OpenFlag#ADD_LOG} is set
 * @param key the key, which follows where {@link OpenFlag#ENCRYPTED} is set; else empty
 */
record ControlRequest(ControlMessage message, Optional<String> log, byte[] key) {
  static ControlRequest of(ControlMessage message) {
    return new ControlRequest(message, Optional.empty(), new byte[0]);
  }

  Parameters parameters() {
    if (message.body() instanceof Parameters parameters) {
      return parameters;
    }
    throw new IllegalStateException(message.type() + " has no parameters");
  }

  OpenRequest opening() {
    Parameters parameters = parameters();
    return new OpenRequest(
        parameters.disk(),
        parameters.flags(),
        parameters.parentMinor(),
        parameters.timeoutSeconds(),
        secondary(),
        log,
        key);
  }

  ResumeRequest resuming() {
    String disk = parameters().disk();
    return new ResumeRequest(
        disk.isEmpty() ? Optional.empty() : Optional.of(disk), secondary(), log);
  }

  private Optional<String> secondary() {
    Parameters parameters = parameters();
    return parameters.flags().contains(OpenFlag.SECONDARY)
        ? Optional.of(parameters.secondary())
        : Optional.empty();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ControlRequest that
        && message.equals(that.message)
        && log.equals(that.log)
        && Arrays.equals(key, that.key);
  }

  @Override
  public int hashCode() {
    return message.hashCode();
  }

  /** Without the key. */
  @Override
  public String toString() {
    return message + ", log " + log + ", a key of " + key.length + " bytes";
  }
}
