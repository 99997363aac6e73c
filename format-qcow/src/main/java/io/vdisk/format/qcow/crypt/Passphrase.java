package io.vdisk.format.qcow.crypt;

import io.vdisk.SecretException;
import io.vdisk.Secrets;
import io.vdisk.file.Zeroes;
import java.io.Closeable;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** The passphrase of one image, for as long as it is needed; {@link #close} wipes it. */
public final class Passphrase implements Closeable {
  private final byte[] bytes;

  private Passphrase(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Asks for the passphrase of an image; empty if nobody knows it. */
  public static Optional<Passphrase> find(Secrets secrets, String file) {
    return secrets.secret(file, "passphrase").map(Passphrase::new);
  }

  /**
   * Asks for the passphrase of an image.
   *
   * @param method how the image is enciphered, for the message
   */
  public static Passphrase require(Secrets secrets, String file, String method)
      throws SecretException {
    return find(secrets, file).orElseThrow(() -> missing(file, method));
  }

  static SecretException missing(String file, String method) {
    return new SecretException(
        file + ": encrypted (" + method + "), and no passphrase was given for it");
  }

  /** The UTF-8 of a passphrase, which stays the caller's to wipe. */
  static Passphrase of(char[] passphrase) {
    ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(passphrase));
    byte[] bytes = new byte[encoded.remaining()];
    encoded.get(bytes);
    Zeroes.fill(encoded.clear());
    return new Passphrase(bytes);
  }

  byte[] bytes() {
    return bytes;
  }

  @Override
  public void close() {
    Arrays.fill(bytes, (byte) 0);
  }
}
