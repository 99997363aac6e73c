package io.vdisk.format.vhd;

import io.vdisk.SecretException;
import io.vdisk.Secrets;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.SectorCipher;
import io.vdisk.spi.codec.AesSectors;
import io.vdisk.spi.codec.SectorIv;
import io.vdisk.spi.codec.SectorNumber;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The encryption of Xen's disks: AES in XTS, each sector of 512 bytes by its guest number, of which
 * 32 bits count. The key is 32 or 64 bytes, for AES-128 or AES-256, as it lies in a key file;
 * {@link Secrets} is asked for it by the purpose "key". Sectors that are in no block are not
 * enciphered: they read as zero, or are the parent's.
 *
 * <p>Closing it closes the cipher, unless that was given away.
 */
final class DiskCipher implements Closeable {
  /** What {@link Secrets} is asked for. */
  static final String PURPOSE = "key";

  private static final int SECTOR = 512;

  private final Optional<SectorCipher> cipher;
  private @Nullable Closeable owned;

  private DiskCipher(Optional<SectorCipher> cipher, @Nullable Closeable owned) {
    this.cipher = cipher;
    this.owned = owned;
  }

  /** The cipher of a disk, for which the key is asked unless only its metadata is looked at. */
  static DiskCipher of(Structures structures, OpenContext context) throws IOException {
    Optional<KeyHash> hash = structures.batmap().flatMap(BatmapHeader::keyHash);
    if (hash.isEmpty()) {
      return new DiskCipher(Optional.empty(), null);
    }
    String name = structures.file().name();
    boolean isOfTables =
        context.options().isForRepair()
            || (context.options().isWithoutBacking() && !context.writable());
    if (isOfTables) {
      return new DiskCipher(Optional.of(new Locked(name)), null);
    }
    byte[] key = key(context.secrets(), name);
    try {
      if (!hash.get().isOf(key)) {
        throw new SecretException(name + ": the key is not that of the disk");
      }
      AesSectors sectors = sectors(key);
      return new DiskCipher(Optional.of(sectors), sectors);
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  /** Asks for a key, which the caller wipes. */
  static byte[] key(Secrets secrets, String name) throws IOException {
    byte[] key = secrets.secret(name, PURPOSE).orElseThrow(() -> missing(name));
    if (key.length != 32 && key.length != 64) {
      Arrays.fill(key, (byte) 0);
      throw new SecretException(name + ": a key for AES-XTS has 32 or 64 bytes, not " + key.length);
    }
    return key;
  }

  private static AesSectors sectors(byte[] key) {
    return AesSectors.xts(key, SectorIv.PLAIN, SECTOR, SectorNumber.GUEST);
  }

  private static SecretException missing(String name) {
    return new SecretException(
        name + ": the disk is encrypted (AES-XTS, by Xen's tools), and its key was not given");
  }

  Optional<SectorCipher> cipher() {
    return cipher;
  }

  /** Whoever was given the cipher closes it. */
  void keep() {
    owned = null;
  }

  @Override
  public void close() throws IOException {
    if (owned != null) {
      owned.close();
    }
  }

  /** Of a disk that was opened for its metadata, without a key. */
  private record Locked(String name) implements SectorCipher {
    @Override
    public int sectorSize() {
      return SECTOR;
    }

    @Override
    public void decrypt(ByteBuffer data, long offset, long fileOffset) throws SecretException {
      throw missing(name);
    }

    @Override
    public void encrypt(ByteBuffer plain, ByteBuffer target, long offset, long fileOffset)
        throws SecretException {
      throw missing(name);
    }
  }
}
