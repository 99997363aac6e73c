package io.vdisk;

/** The image is enciphered, and its passphrase is missing or wrong. Never tells any part of it. */
public final class SecretException extends ImageException {
  private static final long serialVersionUID = 1;

  /** The message names the file. */
  public SecretException(String message) {
    super(message);
  }
}
