package io.vdisk.format.qcow.crypt;

import java.nio.ByteBuffer;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;

/**
 * The anti-forensic splitter: blows a key up to many stripes, all of which are needed to have it
 * back, so that losing any destroys it. LUKS On-Disk Format Specification 1.2.3, section 2.4.
 *
 * @param hash diffuses a stripe into all its bits
 * @param stripes how many
 */
record Splitter(LuksHash hash, int stripes) {
  /** The stripes of a key, random but for the last. The caller wipes them. */
  byte[] split(byte[] key, SecureRandom random) {
    byte[] split = new byte[key.length * stripes];
    random.nextBytes(split);
    byte[] sum = sum(split, key.length);
    int last = split.length - key.length;
    for (int i = 0; i < key.length; i++) {
      split[last + i] = (byte) (sum[i] ^ key[i]);
    }
    Arrays.fill(sum, (byte) 0);
    return split;
  }

  /** The key of these stripes. The caller wipes it. */
  byte[] merge(byte[] split) {
    byte[] key = sum(split, split.length / stripes);
    int last = split.length - key.length;
    for (int i = 0; i < key.length; i++) {
      key[i] ^= split[last + i];
    }
    return key;
  }

  /** All stripes but the last, each added and all diffused. */
  private byte[] sum(byte[] split, int length) {
    byte[] sum = new byte[length];
    MessageDigest digest = hash.digest();
    for (int stripe = 0; stripe < stripes - 1; stripe++) {
      for (int i = 0; i < length; i++) {
        sum[i] ^= split[stripe * length + i];
      }
      diffuse(sum, digest);
    }
    return sum;
  }

  private static void diffuse(byte[] sum, MessageDigest digest) {
    int size = digest.getDigestLength();
    byte[] hashed = new byte[size];
    try {
      for (int at = 0, piece = 0; at < sum.length; at += size, piece++) {
        int length = Math.min(size, sum.length - at);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, piece));
        digest.update(sum, at, length);
        digest.digest(hashed, 0, size);
        System.arraycopy(hashed, 0, sum, at, length);
      }
    } catch (DigestException e) {
      throw new IllegalStateException(e);
    } finally {
      Arrays.fill(hashed, (byte) 0);
    }
  }
}
