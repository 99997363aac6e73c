package io.vdisk.spi.codec;

import java.security.GeneralSecurityException;
import java.util.concurrent.atomic.AtomicReferenceArray;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's AES, block by block (ECB), in one direction under one key: what every mode of operation
 * here is made of. Thread-safe: each call takes a {@code Cipher} of its own from a few that are
 * kept.
 *
 * <p>Many blocks in one call are what the JVM's own code for AES instructions is fast at. {@code
 * update} is enough, because whole blocks leave the cipher at once without padding; {@code doFinal}
 * would allocate.
 */
final class Aes {
  static final int BLOCK = 16;

  /** Ciphers that are kept: as many as threads that usually read one disk at a time. */
  private static final int KEPT = 16;

  private final int mode;
  private final Key key;
  private final AtomicReferenceArray<@Nullable Cipher> kept = new AtomicReferenceArray<>(KEPT);

  /**
   * A key in use.
   *
   * @param mode {@link Cipher#ENCRYPT_MODE} or {@link Cipher#DECRYPT_MODE}
   * @param key copied
   */
  Aes(int mode, byte[] key) {
    if (key.length != 16 && key.length != 24 && key.length != 32) {
      throw new IllegalArgumentException("an AES key of " + key.length + " bytes");
    }
    this.mode = mode;
    this.key = new Key(key);
  }

  /** Transforms whole blocks from one array into another. */
  void transform(byte[] from, int fromOffset, int length, byte[] to, int toOffset) {
    Cipher cipher = acquire();
    try {
      int done = cipher.update(from, fromOffset, length, to, toOffset);
      assert done == length : done + " of " + length;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES of this Java fails", e);
    }
    release(cipher);
  }

  private Cipher acquire() {
    for (int i = 0; i < KEPT; i++) {
      Cipher cipher = kept.get(i) == null ? null : kept.getAndSet(i, null);
      if (cipher != null) {
        return cipher;
      }
    }
    try {
      Cipher cipher = Cipher.getInstance("AES/ECB/NoPadding");
      cipher.init(mode, key);
      return cipher;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has AES", e);
    }
  }

  private void release(Cipher cipher) {
    for (int i = 0; i < KEPT; i++) {
      if (kept.get(i) == null && kept.compareAndSet(i, null, cipher)) {
        return;
      }
    }
  }

  /** Wipes the key. No other call follows. */
  void destroy() {
    key.destroy();
    for (int i = 0; i < KEPT; i++) {
      kept.set(i, null);
    }
  }

  /** A key that can be wiped, which {@code SecretKeySpec} cannot. */
  private static final class Key implements SecretKey {
    private static final long serialVersionUID = 1;

    private final transient byte[] bytes;
    private transient volatile boolean destroyed;

    Key(byte[] bytes) {
      this.bytes = bytes.clone();
    }

    @Override
    public String getAlgorithm() {
      return "AES";
    }

    @Override
    public String getFormat() {
      return "RAW";
    }

    @Override
    public byte[] getEncoded() {
      if (destroyed) {
        throw new IllegalStateException("the key was wiped");
      }
      return bytes.clone();
    }

    @Override
    public void destroy() {
      destroyed = true;
      java.util.Arrays.fill(bytes, (byte) 0);
    }

    @Override
    public boolean isDestroyed() {
      return destroyed;
    }
  }
}
