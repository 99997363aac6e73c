package io.vdisk.bench.cli;

/** The command line is not understood. */
public final class UsageException extends Exception {
  private static final long serialVersionUID = 1;

  public UsageException(String message) {
    super(message);
  }
}
