package io.vdisk.spi;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Lent to the engine by a layout whose data is enciphered. Called by many threads at once. Ranges
 * are whole sectors.
 */
public interface SectorCipher {
  /** Bytes that are enciphered together, a power of two. */
  int sectorSize();

  /**
   * Deciphers in place, from position to limit; the position is moved to the limit.
   *
   * @param offset guest offset of the first byte
   * @param fileOffset host offset of the first byte
   * @throws io.vdisk.SecretException if the image was opened without its key
   */
  void decrypt(ByteBuffer data, long offset, long fileOffset) throws IOException;

  /**
   * Enciphers {@code plain} into {@code target}; both positions are moved.
   *
   * @param plain may be read-only memory
   */
  void encrypt(ByteBuffer plain, ByteBuffer target, long offset, long fileOffset)
      throws IOException;
}
