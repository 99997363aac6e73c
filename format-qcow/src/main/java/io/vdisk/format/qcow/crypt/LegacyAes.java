package io.vdisk.format.qcow.crypt;

import io.vdisk.SecretException;
import io.vdisk.Secrets;
import io.vdisk.spi.SectorCipher;
import io.vdisk.spi.codec.AesSectors;
import io.vdisk.spi.codec.SectorIv;
import io.vdisk.spi.codec.SectorNumber;
import java.util.Arrays;

/**
 * The encryption that qcow had from the beginning, crypt_method 1: AES-128 in CBC, each sector of
 * 512 bytes by its guest number, and the first 16 bytes of the passphrase for a key.
 *
 * <p><b>It keeps no secrets from anybody who tries.</b> The key is the passphrase itself, and who
 * can write to the disk can tell from outside where the same lies twice. It is here for images that
 * exist; new ones take LUKS.
 *
 * <p>Nothing in the image tells whether a passphrase is right: a wrong one opens it, and reads
 * noise. What is written under it is lost to the right one.
 */
public final class LegacyAes {
  /** The value of crypt_method. */
  public static final int METHOD = 1;

  /** What messages and options call it. */
  public static final String NAME = "aes";

  private static final int SECTOR = 512;
  private static final int KEY = 16;

  private LegacyAes() {}

  /** The cipher of an image whose passphrase is asked for. The caller closes it. */
  public static AesSectors unlock(Secrets secrets, String file) throws SecretException {
    try (Passphrase passphrase = Passphrase.require(secrets, file, NAME)) {
      byte[] key = Arrays.copyOf(passphrase.bytes(), KEY);
      try {
        return AesSectors.cbc(key, SectorIv.PLAIN64, SECTOR, SectorNumber.GUEST);
      } finally {
        Arrays.fill(key, (byte) 0);
      }
    }
  }

  /** In place of the cipher where only metadata is to be looked at. */
  public static SectorCipher locked(String file) {
    return new LockedCipher(file, NAME);
  }
}
