package io.vdisk.backend.tap.control;

import java.io.Closeable;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * The key of an encrypted disk, on its way to it. It is in no text. Two keys with the same bytes
 * are equal. Any thread may call.
 */
public final class EncryptionKey implements Closeable {
  private final byte[] bytes; // guarded by this

  /** Copies the bytes; the array stays the caller's. */
  public EncryptionKey(byte[] key) {
    this.bytes = key.clone();
  }

  /** How long it is. */
  public int length() {
    return bytes.length;
  }

  /** A copy, which the caller wipes; all zero once this is closed. */
  public synchronized byte[] copy() {
    return bytes.clone();
  }

  /** Wipes it. */
  @Override
  public synchronized void close() {
    Arrays.fill(bytes, (byte) 0);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof EncryptionKey key && MessageDigest.isEqual(copy(), key.copy());
  }

  @Override
  public int hashCode() {
    return length();
  }

  /** Its length alone. */
  @Override
  public String toString() {
    return "a key of " + length() + " bytes";
  }
}
