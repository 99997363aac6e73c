package io.vdisk.format.qcow.crypt;

import io.vdisk.spi.codec.AesSectors;
import io.vdisk.spi.codec.SectorIv;
import io.vdisk.spi.codec.SectorNumber;
import java.util.Locale;
import java.util.Optional;

/**
 * How LUKS enciphers sectors: AES in XTS or CBC.
 *
 * @param isXts otherwise CBC
 * @param iv what begins a sector
 * @param keyBytes of the whole key: XTS has two halves
 */
record LuksCipher(boolean isXts, SectorIv iv, int keyBytes) {
  static final int SECTOR = 512;

  private static final String ESSIV = "essiv:sha256";

  /** The cipher of a header's cipher-name and cipher-mode; empty if it is none of ours. */
  static Optional<LuksCipher> of(String name, String mode, long keyBytes) {
    int dash = mode.indexOf('-');
    if (!name.equals("aes") || dash < 0) {
      return Optional.empty();
    }
    SectorIv iv =
        switch (mode.substring(dash + 1)) {
          case "plain" -> SectorIv.PLAIN;
          case "plain64" -> SectorIv.PLAIN64;
          case ESSIV -> SectorIv.ESSIV_SHA256;
          default -> null;
        };
    boolean isXts = mode.startsWith("xts-");
    boolean isKnown =
        isXts
            ? (keyBytes == 32 || keyBytes == 64) && iv != SectorIv.ESSIV_SHA256
            : mode.startsWith("cbc-") && (keyBytes == 16 || keyBytes == 24 || keyBytes == 32);
    return isKnown && iv != null
        ? Optional.of(new LuksCipher(isXts, iv, (int) keyBytes))
        : Optional.empty();
  }

  /** The header's cipher-mode. */
  String mode() {
    return (isXts ? "xts-" : "cbc-") + (iv == SectorIv.ESSIV_SHA256 ? ESSIV : ivName());
  }

  /** Without the hash of essiv. */
  String ivName() {
    return iv == SectorIv.ESSIV_SHA256 ? "essiv" : iv.name().toLowerCase(Locale.ROOT);
  }

  /** As QEMU calls the cipher: bits of one AES key. */
  String algorithm() {
    return "aes-" + keyBytes * 8 / (isXts ? 2 : 1);
  }

  AesSectors open(byte[] key, SectorNumber number) {
    return isXts
        ? AesSectors.xts(key, iv, SECTOR, number)
        : AesSectors.cbc(key, iv, SECTOR, number);
  }
}
