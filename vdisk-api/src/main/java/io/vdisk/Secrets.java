package io.vdisk;

import java.util.Optional;

/**
 * Where passphrases and keys come from. Asked while an image is being opened or created, by its
 * thread.
 */
@FunctionalInterface
public interface Secrets {
  /** Nobody knows a secret. */
  Secrets NONE = (file, purpose) -> Optional.empty();

  /**
   * The secret for one image.
   *
   * @param file the image's name, for choosing among several
   * @param purpose what it is for, for a prompt: "passphrase", "key"
   * @return a fresh array, which the caller wipes after use; empty if not known
   */
  Optional<byte[]> secret(String file, String purpose);
}
