package io.vdisk.backend.tap.disk;

import java.io.Closeable;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * The key of an encrypted VHD, on its way to it. It is in no text. Two keys with the same bytes are
 * equal. Any thread may call.
 */
public final class DiskKey implements Closeable {
  private final byte[] bytes; // guarded by this

  /** Copies the bytes; the array stays the caller's, who wipes it. */
  public DiskKey(byte[] key) {
    this.bytes = key.clone();
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
    return other instanceof DiskKey key && MessageDigest.isEqual(copy(), key.copy());
  }

  @Override
  public int hashCode() {
    return bytes.length;
  }

  /** Its length alone. */
  @Override
  public String toString() {
    return "a key of " + bytes.length + " bytes";
  }
}
