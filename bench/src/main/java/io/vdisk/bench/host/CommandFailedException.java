package io.vdisk.bench.host;

import java.io.IOException;

/** A command that was to be measured did not do its work. */
public final class CommandFailedException extends IOException {
  private static final long serialVersionUID = 1;

  public CommandFailedException(String message) {
    super(message);
  }
}
