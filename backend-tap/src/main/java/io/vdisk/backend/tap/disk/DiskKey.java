package io.vdisk.backend.tap.disk;

import java.io.Closeable;
import java.util.Arrays;

/**
 * The key of an encrypted VHD, as it came over the control socket. It is in no message and no text.
 * Any thread may call.
 */
public final class DiskKey implements Closeable {
  private final byte[] bytes; // guarded by this

  /** Copies the bytes; the array stays the caller's, who wipes it. */
  public DiskKey(byte[] key) {
    this.bytes = key.clone();
  }

  /** A copy, which the caller wipes; all zero once this is closed. */
  synchronized byte[] copy() {
    return bytes.clone();
  }

  /** Wipes it. */
  @Override
  public synchronized void close() {
    Arrays.fill(bytes, (byte) 0);
  }
}
