package io.vdisk.backend.tap.control;

import java.util.Optional;

/**
 * A message to a tapdisk with what follows it.
 *
 * @param message the message
 * @param log the name of a log, which follows where {@link OpenFlag#ADD_LOG} is set
 * @param key the key, which follows where {@link OpenFlag#ENCRYPTED} is set
 */
record ControlRequest(ControlMessage message, Optional<String> log, Optional<EncryptionKey> key) {
  static ControlRequest of(ControlMessage message) {
    return new ControlRequest(message, Optional.empty(), Optional.empty());
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
}
