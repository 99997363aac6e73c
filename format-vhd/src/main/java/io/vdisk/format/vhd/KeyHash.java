package io.vdisk.format.vhd;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;

/**
 * Tells the right key of an encrypted disk of Xen's from others: SHA-256 of a nonce and the key.
 * Immutable.
 */
final class KeyHash {
  /** Bytes of a nonce. */
  private static final int NONCE = 32;

  private final byte[] nonce;
  private final byte[] hash;

  /** A hash, 32 bytes, with the nonce that was hashed before the key. */
  KeyHash(byte[] nonce, byte[] hash) {
    this.nonce = nonce.clone();
    this.hash = hash.clone();
  }

  /** The hash of a key, with a nonce of its own. */
  static KeyHash of(byte[] key) {
    byte[] nonce = new byte[NONCE];
    new SecureRandom().nextBytes(nonce);
    return new KeyHash(nonce, hash(nonce, key));
  }

  byte[] nonce() {
    return nonce.clone();
  }

  byte[] hash() {
    return hash.clone();
  }

  /** Whether it is this key's; takes the same time whatever the key. */
  boolean isOf(byte[] key) {
    return MessageDigest.isEqual(hash, hash(nonce, key));
  }

  private static byte[] hash(byte[] nonce, byte[] key) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(nonce);
      return digest.digest(key);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
