package io.vdisk.tools;

/** The command line cannot be understood. The message says why, in one clause. */
final class UsageException extends Exception {
  private static final long serialVersionUID = 1;

  UsageException(String message) {
    super(message);
  }
}
