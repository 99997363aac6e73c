package io.vdisk.spi.codec;

/** How a sector's number becomes the 16 bytes that begin its encipherment. Names are dm-crypt's. */
public enum SectorIv {
  /** The number's lowest 32 bits, little-endian, then zeroes. */
  PLAIN,
  /** The number, 64 bits, little-endian, then zeroes. */
  PLAIN64,
  /** {@link #PLAIN64}, enciphered by AES-256 whose key is the SHA-256 of the data's key. */
  ESSIV_SHA256
}
