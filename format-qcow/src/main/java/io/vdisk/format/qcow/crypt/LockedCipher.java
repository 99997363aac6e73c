package io.vdisk.format.qcow.crypt;

import io.vdisk.SecretException;
import io.vdisk.spi.SectorCipher;
import java.nio.ByteBuffer;

/** Of an image that was opened for its metadata, without a passphrase: its data stays closed. */
record LockedCipher(String file, String method) implements SectorCipher {
  private static final int SECTOR = 512;

  @Override
  public int sectorSize() {
    return SECTOR;
  }

  @Override
  public void decrypt(ByteBuffer data, long offset, long fileOffset) throws SecretException {
    throw Passphrase.missing(file, method);
  }

  @Override
  public void encrypt(ByteBuffer plain, ByteBuffer target, long offset, long fileOffset)
      throws SecretException {
    throw Passphrase.missing(file, method);
  }
}
