package io.vdisk.format.qcow.crypt;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.SecretKey;

/** The hashes of LUKS that the JDK has, for the derivation of keys and for the splitter. */
enum LuksHash {
  SHA1("SHA-1", "HmacSHA1"),
  SHA224("SHA-224", "HmacSHA224"),
  SHA256("SHA-256", "HmacSHA256"),
  SHA384("SHA-384", "HmacSHA384"),
  SHA512("SHA-512", "HmacSHA512");

  /** The least that any program writes. */
  static final long MIN_ITERATIONS = 1000;

  /** How long the derivation is measured, which includes compiling it. */
  private static final long MEASURED_NANOS = 100_000_000;

  private final String digest;
  private final String mac;

  LuksHash(String digest, String mac) {
    this.digest = digest;
    this.mac = mac;
  }

  /** The name in headers and options. */
  String title() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Optional<LuksHash> named(String title) {
    return Arrays.stream(values()).filter(hash -> hash.title().equals(title)).findFirst();
  }

  MessageDigest digest() {
    try {
      return MessageDigest.getInstance(digest);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java lacks " + digest, e);
    }
  }

  /** How many HMACs it takes to derive a key: the measure of its cost. */
  long cost(long iterations, int length) {
    int size = digest().getDigestLength();
    return iterations * ((length + size - 1) / size);
  }

  /**
   * How many iterations of a derivation this machine does in a time; measured each time.
   *
   * @param millis at least 1
   * @param length bytes to derive
   */
  long iterationsIn(long millis, int length) {
    long wanted = millis * 1_000_000;
    byte[] measured = new byte[LuksHeader.SALT_BYTES];
    for (long iterations = MIN_ITERATIONS; ; iterations *= 2) {
      long start = System.nanoTime();
      byte[] unused = pbkdf2(measured, measured, iterations, length);
      long nanos = Math.max(1, System.nanoTime() - start);
      if (nanos >= Math.min(MEASURED_NANOS, wanted)) {
        return Math.max(MIN_ITERATIONS, (long) ((double) iterations / nanos * wanted));
      }
    }
  }

  /**
   * PBKDF2 (RFC 8018, 5.2) with HMAC of this hash. Not the JDK's own, which takes characters: a
   * passphrase may be any bytes.
   *
   * @return a fresh array, which the caller wipes
   */
  byte[] pbkdf2(byte[] password, byte[] salt, long iterations, int length) {
    Mac hmac = mac(password);
    int size = hmac.getMacLength();
    byte[] key = new byte[length];
    byte[] sum = new byte[size];
    byte[] last = new byte[size];
    try {
      for (int block = 1, at = 0; at < length; block++, at += size) {
        hmac.update(salt);
        for (int shift = 24; shift >= 0; shift -= 8) {
          hmac.update((byte) (block >> shift));
        }
        hmac.doFinal(last, 0);
        System.arraycopy(last, 0, sum, 0, size);
        for (long i = 1; i < iterations; i++) {
          hmac.update(last);
          hmac.doFinal(last, 0);
          for (int j = 0; j < size; j++) {
            sum[j] ^= last[j];
          }
        }
        System.arraycopy(sum, 0, key, at, Math.min(size, length - at));
      }
      return key;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    } finally {
      Arrays.fill(sum, (byte) 0);
      Arrays.fill(last, (byte) 0);
    }
  }

  private Mac mac(byte[] password) {
    Password key = new Password(password, mac);
    try {
      Mac hmac = Mac.getInstance(mac);
      hmac.init(key);
      return hmac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java lacks " + mac, e);
    }
  }

  /** {@code SecretKeySpec} takes no empty passphrase, and keeps a copy that cannot be wiped. */
  private static final class Password implements SecretKey {
    private static final long serialVersionUID = 1;

    private final transient byte[] bytes;
    private final String algorithm;

    Password(byte[] bytes, String algorithm) {
      this.bytes = bytes;
      this.algorithm = algorithm;
    }

    @Override
    public String getAlgorithm() {
      return algorithm;
    }

    @Override
    public String getFormat() {
      return "RAW";
    }

    @Override
    public byte[] getEncoded() {
      return bytes.clone();
    }
  }
}
