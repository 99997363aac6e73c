package io.vdisk.spi.codec;

import io.vdisk.spi.SectorCipher;
import java.io.Closeable;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import javax.crypto.Cipher;
import org.jspecify.annotations.Nullable;

/**
 * AES over numbered sectors: XTS (IEEE Std 1619-2007) or CBC (NIST SP 800-38A), each sector by
 * itself. Thread-safe. The JDK enciphers the blocks; only the mode is ours, in passes over up to 16
 * KiB at a time, so that even CBC, which is a chain within a sector, hands many blocks at once to
 * the JDK.
 *
 * <p>A call allocates nothing once its thread's work space exists; buffers may be direct, on the
 * heap, and, to encipher from, read-only. Keys are copied, wiped by {@link #close}, and shown by
 * nothing.
 */
public final class AesSectors implements SectorCipher, Closeable {
  private static final int WORK = 16 << 10;

  /** Work spaces that are kept. */
  private static final int KEPT = 16;

  /** What a carry out of the tweak's 128 bits comes back as. IEEE Std 1619-2007, 5.2. */
  private static final long POLYNOMIAL = 0x87;

  private static final VarHandle WORDS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final boolean isXts;
  private final int sectorSize;
  private final SectorIv iv;
  private final SectorNumber number;
  private final Aes encrypting;
  private final Aes decrypting;

  /** Enciphers the numbers of sectors; empty of them where the number itself begins a sector. */
  private final @Nullable Aes ivs;

  private final AtomicReferenceArray<@Nullable Work> kept = new AtomicReferenceArray<>(KEPT);

  private AesSectors(
      boolean isXts,
      byte[] dataKey,
      byte @Nullable [] ivKey,
      SectorIv iv,
      int sectorSize,
      SectorNumber number) {
    if (sectorSize < Aes.BLOCK || sectorSize > WORK || Integer.bitCount(sectorSize) != 1) {
      throw new IllegalArgumentException("sectors of " + sectorSize + " bytes");
    }
    this.isXts = isXts;
    this.sectorSize = sectorSize;
    this.iv = iv;
    this.number = number;
    this.encrypting = new Aes(Cipher.ENCRYPT_MODE, dataKey);
    this.decrypting = new Aes(Cipher.DECRYPT_MODE, dataKey);
    this.ivs = ivKey == null ? null : new Aes(Cipher.ENCRYPT_MODE, ivKey);
  }

  /**
   * XTS: the second half of the key enciphers the sector's number, which is the tweak.
   *
   * @param key 32 or 64 bytes, for AES-128 and AES-256; stays the caller's to wipe
   * @param iv {@link SectorIv#PLAIN} or {@link SectorIv#PLAIN64}
   * @param sectorSize a power of two from 16 to 16,384
   */
  public static AesSectors xts(byte[] key, SectorIv iv, int sectorSize, SectorNumber number) {
    if ((key.length != 32 && key.length != 64) || iv == SectorIv.ESSIV_SHA256) {
      throw new IllegalArgumentException("XTS with " + iv + " and " + key.length + " bytes of key");
    }
    byte[] data = Arrays.copyOf(key, key.length / 2);
    byte[] tweak = Arrays.copyOfRange(key, key.length / 2, key.length);
    try {
      return new AesSectors(true, data, tweak, iv, sectorSize, number);
    } finally {
      Arrays.fill(data, (byte) 0);
      Arrays.fill(tweak, (byte) 0);
    }
  }

  /**
   * CBC: each sector is a chain of its own.
   *
   * @param key 16, 24 or 32 bytes; stays the caller's to wipe
   * @param sectorSize a power of two from 16 to 16,384
   */
  public static AesSectors cbc(byte[] key, SectorIv iv, int sectorSize, SectorNumber number) {
    if (iv != SectorIv.ESSIV_SHA256) {
      return new AesSectors(false, key, null, iv, sectorSize, number);
    }
    byte[] salt = sha256(key);
    try {
      return new AesSectors(false, key, salt, iv, sectorSize, number);
    } finally {
      Arrays.fill(salt, (byte) 0);
    }
  }

  private static byte[] sha256(byte[] key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  @Override
  public int sectorSize() {
    return sectorSize;
  }

  @Override
  public void decrypt(ByteBuffer data, long offset, long fileOffset) {
    decrypt(data, sector(offset, fileOffset));
  }

  @Override
  public void encrypt(ByteBuffer plain, ByteBuffer target, long offset, long fileOffset) {
    encrypt(plain, target, sector(offset, fileOffset));
  }

  private long sector(long offset, long fileOffset) {
    long at = number == SectorNumber.GUEST ? offset : fileOffset;
    if (at % sectorSize != 0) {
      throw new IllegalArgumentException("offset " + at + " is inside a sector");
    }
    return at / sectorSize;
  }

  /** Deciphers whole sectors in place; the position is moved to the limit. */
  public void decrypt(ByteBuffer data, long firstSector) {
    move(data, data, firstSector, false);
  }

  /** Enciphers whole sectors; both positions are moved. */
  public void encrypt(ByteBuffer plain, ByteBuffer target, long firstSector) {
    move(plain, target, firstSector, true);
  }

  private void move(ByteBuffer from, ByteBuffer to, long firstSector, boolean encrypt) {
    if (from.remaining() % sectorSize != 0) {
      throw new IllegalArgumentException(from.remaining() + " bytes are no whole sectors");
    }
    Work work = acquire();
    long sector = firstSector;
    while (from.hasRemaining()) {
      int length = Math.min(WORK, from.remaining());
      int start = from.position();
      from.get(work.data, 0, length);
      if (!encrypt) {
        to.position(start); // in place
      }
      int sectors = length / sectorSize;
      work.numbers(iv, sector, sectors);
      if (ivs != null) {
        ivs.transform(work.numbers, 0, sectors * Aes.BLOCK, work.ivs, 0);
      } else {
        System.arraycopy(work.numbers, 0, work.ivs, 0, sectors * Aes.BLOCK);
      }
      if (isXts) {
        xts(work, length, encrypt ? encrypting : decrypting);
      } else if (encrypt) {
        chain(work, sectors);
      } else {
        unchain(work, length);
      }
      to.put(work.data, 0, length);
      sector += sectors;
    }
    release(work);
  }

  /** Each block between two combinations with its tweak, which doubles from block to block. */
  private void xts(Work work, int length, Aes blocks) {
    for (int at = 0; at < length; ) {
      int first = at / sectorSize * Aes.BLOCK;
      long low = word(work.ivs, first);
      long high = word(work.ivs, first + 8);
      for (int end = at + sectorSize; at < end; at += Aes.BLOCK) {
        WORDS.set(work.tweaks, at, low);
        WORDS.set(work.tweaks, at + 8, high);
        long carry = high >> 63 & POLYNOMIAL;
        high = high << 1 | low >>> 63;
        low = low << 1 ^ carry;
      }
    }
    combine(work.data, work.tweaks, work.blocks, length);
    blocks.transform(work.blocks, 0, length, work.data, 0);
    combine(work.data, work.tweaks, work.data, length);
  }

  /** CBC backwards: every block at once, then each combined with the one before as it was. */
  private void unchain(Work work, int length) {
    decrypting.transform(work.data, 0, length, work.blocks, 0);
    for (int at = 0; at < length; at += sectorSize) {
      System.arraycopy(work.ivs, at / sectorSize * Aes.BLOCK, work.tweaks, at, Aes.BLOCK);
      System.arraycopy(work.data, at, work.tweaks, at + Aes.BLOCK, sectorSize - Aes.BLOCK);
    }
    combine(work.blocks, work.tweaks, work.data, length);
  }

  /** CBC: the first blocks of all sectors at once, then the second ones. */
  private void chain(Work work, int sectors) {
    int column = sectors * Aes.BLOCK;
    for (int block = 0; block < sectorSize; block += Aes.BLOCK) {
      for (int i = 0, at = block; i < column; i += Aes.BLOCK, at += sectorSize) {
        WORDS.set(work.blocks, i, word(work.data, at) ^ word(work.ivs, i));
        WORDS.set(work.blocks, i + 8, word(work.data, at + 8) ^ word(work.ivs, i + 8));
      }
      encrypting.transform(work.blocks, 0, column, work.ivs, 0);
      for (int i = 0, at = block; i < column; i += Aes.BLOCK, at += sectorSize) {
        System.arraycopy(work.ivs, i, work.data, at, Aes.BLOCK);
      }
    }
  }

  private static void combine(byte[] first, byte[] second, byte[] result, int length) {
    for (int i = 0; i < length; i += 8) {
      WORDS.set(result, i, word(first, i) ^ word(second, i));
    }
  }

  private static long word(byte[] bytes, int at) {
    return (long) WORDS.get(bytes, at);
  }

  private Work acquire() {
    for (int i = 0; i < KEPT; i++) {
      Work work = kept.get(i) == null ? null : kept.getAndSet(i, null);
      if (work != null) {
        return work;
      }
    }
    return new Work(WORK / sectorSize * Aes.BLOCK);
  }

  private void release(Work work) {
    for (int i = 0; i < KEPT; i++) {
      if (kept.get(i) == null && kept.compareAndSet(i, null, work)) {
        return;
      }
    }
  }

  /** Wipes the keys. No other call follows. */
  @Override
  public void close() {
    encrypting.destroy();
    decrypting.destroy();
    if (ivs != null) {
      ivs.destroy();
    }
    for (int i = 0; i < KEPT; i++) {
      kept.set(i, null);
    }
  }

  /** What one call works in. */
  private static final class Work {
    final byte[] data = new byte[WORK];
    final byte[] blocks = new byte[WORK];
    final byte[] tweaks = new byte[WORK];
    final byte[] numbers;
    final byte[] ivs;

    Work(int ivBytes) {
      numbers = new byte[ivBytes];
      ivs = new byte[ivBytes];
    }

    /** The numbers of sectors, before they are enciphered. */
    void numbers(SectorIv iv, long first, int sectors) {
      for (int i = 0; i < sectors; i++) {
        long sector = first + i;
        WORDS.set(numbers, i * Aes.BLOCK, iv == SectorIv.PLAIN ? sector & 0xffff_ffffL : sector);
      }
    }
  }
}
