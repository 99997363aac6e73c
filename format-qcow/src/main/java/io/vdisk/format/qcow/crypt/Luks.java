package io.vdisk.format.qcow.crypt;

import io.vdisk.CorruptImageException;
import io.vdisk.SecretException;
import io.vdisk.Secrets;
import io.vdisk.file.HostFile;
import io.vdisk.spi.SectorCipher;
import io.vdisk.spi.codec.AesSectors;
import io.vdisk.spi.codec.SectorNumber;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The LUKS header of one open image. A random key enciphers the data; each key slot holds it under
 * one passphrase. Not thread-safe but for {@link #used}; changes run alone on the device.
 *
 * <p>It keeps:
 *
 * <ol>
 *   <li>An attempt at a passphrase takes the same work whether and where it fits: every active slot
 *       is tried to the end.
 *   <li>The four bytes that make a slot active are written alone, after all that they rely on is
 *       durable; and the first thing that goes when a slot is erased. So a crash leaves a slot that
 *       works or one that is not active.
 *   <li>The last active slot is never erased.
 * </ol>
 */
public final class Luks implements Closeable {
  /** The value of crypt_method in qcow2. */
  public static final int METHOD = 2;

  /** What messages and options call it. */
  public static final String NAME = "luks";

  private static final SecureRandom RANDOM = new SecureRandom();

  private final HostFile file;
  private final long offset;
  private volatile LuksHeader header;

  /** The key of the data, while the image is open with its passphrase. */
  private byte @Nullable [] key;

  private Luks(HostFile file, long offset, LuksHeader header) {
    this.file = file;
    this.offset = offset;
    this.header = header;
  }

  /** A header that is not in the file yet; the key is copied. */
  Luks(HostFile file, long offset, LuksHeader header, byte[] key) {
    this(file, offset, header);
    this.key = key.clone();
  }

  ByteBuffer encode() {
    return header.encode();
  }

  /**
   * Reads and checks a header.
   *
   * @param offset of the header in the file
   * @param length of the header with all its stripes
   */
  public static Luks read(HostFile file, long offset, long length) throws IOException {
    return new Luks(file, offset, LuksHeader.read(file, offset, length));
  }

  /** What {@code qemu-img info} tells; nothing secret. */
  public Map<String, Object> describe() {
    return header.describe();
  }

  /** In place of the cipher where only metadata is to be looked at. */
  public SectorCipher locked() {
    return new LockedCipher(file.name(), NAME);
  }

  /** The cipher of the image, whose passphrase is asked for. The caller closes it. */
  public AesSectors unlock(Secrets secrets) throws IOException {
    try (Passphrase passphrase = Passphrase.require(secrets, file.name(), NAME)) {
      byte[] found = find(passphrase);
      if (found == null) {
        throw new SecretException(file.name() + ": the passphrase is wrong");
      }
      key = found;
      return header.cipher().open(found, SectorNumber.HOST);
    }
  }

  /** The key, if the passphrase fits a slot. */
  private byte @Nullable [] find(Passphrase passphrase) throws IOException {
    List<Integer> active = header.active();
    if (active.isEmpty()) {
      throw new CorruptImageException(
          file.name() + ": no key slot of the LUKS header is active, so nothing can open it");
    }
    byte[] found = null;
    for (int slot : active) {
      byte[] candidate = candidate(header.slots().get(slot), passphrase);
      if (isKey(candidate) && found == null) {
        found = candidate;
      } else {
        Arrays.fill(candidate, (byte) 0);
      }
    }
    return found;
  }

  private boolean isKey(byte[] candidate) {
    byte[] sum =
        header
            .hash()
            .pbkdf2(
                candidate, header.digestSalt(), header.digestIterations(), LuksHeader.DIGEST_BYTES);
    return MessageDigest.isEqual(sum, header.digest());
  }

  /** Numbers of the slots that a passphrase opens, which is tried at all of them. */
  public List<Integer> openedBy(char[] passphrase) throws IOException {
    List<Integer> opened = new ArrayList<>();
    try (Passphrase tried = Passphrase.of(passphrase)) {
      for (int slot : header.active()) {
        byte[] candidate = candidate(header.slots().get(slot), tried);
        if (isKey(candidate)) {
          opened.add(slot);
        }
        Arrays.fill(candidate, (byte) 0);
      }
    }
    return opened;
  }

  private byte[] candidate(LuksHeader.Slot slot, Passphrase passphrase) throws IOException {
    ByteBuffer material = ByteBuffer.allocate(header.materialBytes());
    file.readPadded(material, materialOffset(slot));
    try (AesSectors cipher = cipher(slot, passphrase)) {
      cipher.decrypt(material.flip(), 0);
      byte[] split = Arrays.copyOf(material.array(), header.splitBytes());
      byte[] merged = splitter().merge(split);
      Arrays.fill(split, (byte) 0);
      return merged;
    } finally {
      Arrays.fill(material.array(), (byte) 0);
    }
  }

  /** The cipher of a slot's stripes, which are numbered from 0. */
  private AesSectors cipher(LuksHeader.Slot slot, Passphrase passphrase) {
    int length = header.cipher().keyBytes();
    byte[] derived =
        header.hash().pbkdf2(passphrase.bytes(), slot.salt(), slot.iterations(), length);
    try {
      return header.cipher().open(derived, SectorNumber.GUEST);
    } finally {
      Arrays.fill(derived, (byte) 0);
    }
  }

  private Splitter splitter() {
    return new Splitter(header.hash(), LuksHeader.STRIPES);
  }

  private long materialOffset(LuksHeader.Slot slot) {
    return offset + slot.materialSectors() * LuksCipher.SECTOR;
  }

  /** Numbers of the slots that hold the key. */
  public List<Integer> used() {
    return header.active();
  }

  /** How many slots there are. */
  public static int capacity() {
    return LuksHeader.SLOTS;
  }

  /**
   * Puts the key of an unlocked image under another passphrase.
   *
   * @param wanted number of a free slot; empty: the first free one
   * @param millis that an attempt shall take here; empty: as long as at the dearest other slot
   * @return the number of the slot
   */
  public int add(char[] passphrase, OptionalInt wanted, OptionalLong millis) throws IOException {
    long iterations = 0;
    if (millis.isPresent()) {
      iterations =
          header.hash().iterationsIn(Math.max(1, millis.getAsLong()), header.cipher().keyBytes());
    } else {
      for (int slot : header.active()) {
        iterations = Math.max(iterations, header.slots().get(slot).iterations());
      }
    }
    try (Passphrase added = Passphrase.of(passphrase)) {
      return add(added, iterations, wanted);
    }
  }

  /** Puts the key into a free slot, the first one unless another is wanted. */
  int add(Passphrase passphrase, long iterations, OptionalInt wanted) throws IOException {
    byte[] secret = key;
    if (secret == null) {
      throw Passphrase.missing(file.name(), NAME);
    }
    int free = wanted.orElse(0);
    if (wanted.isPresent() && (free < 0 || free >= LuksHeader.SLOTS || isActive(free))) {
      throw new IOException(file.name() + ": key slot " + free + " is not free");
    }
    while (free < LuksHeader.SLOTS && isActive(free)) {
      free++;
    }
    if (free == LuksHeader.SLOTS) {
      throw new IOException(file.name() + ": all key slots are in use");
    }
    byte[] salt = new byte[LuksHeader.SALT_BYTES];
    RANDOM.nextBytes(salt);
    long at = header.slots().get(free).materialSectors();
    LuksHeader.Slot slot = new LuksHeader.Slot(true, iterations, salt, at);
    LuksHeader changed = header.with(free, slot);
    if (!changed.isAffordable()) {
      throw new IOException(file.name() + ": another key slot would take too long to try");
    }
    writeMaterial(slot, passphrase, secret);
    ByteBuffer encoded = slot.encode();
    ByteBuffer inactive = slot.encode().put(0, header.slots().get(free).encode().array(), 0, 4);
    file.write(inactive, offset + LuksHeader.slotOffset(free));
    file.flush();
    file.write(encoded.limit(LuksHeader.ACTIVE.length()), offset + LuksHeader.slotOffset(free));
    file.flush();
    header = changed;
    return free;
  }

  private boolean isActive(int slot) {
    return header.slots().get(slot).isActive();
  }

  private void writeMaterial(LuksHeader.Slot slot, Passphrase passphrase, byte[] secret)
      throws IOException {
    byte[] split = splitter().split(secret, RANDOM);
    byte[] plain = new byte[header.materialBytes()];
    RANDOM.nextBytes(plain);
    System.arraycopy(split, 0, plain, 0, split.length);
    ByteBuffer enciphered = ByteBuffer.allocate(plain.length);
    try (AesSectors cipher = cipher(slot, passphrase)) {
      cipher.encrypt(ByteBuffer.wrap(plain), enciphered, 0);
    } finally {
      Arrays.fill(split, (byte) 0);
      Arrays.fill(plain, (byte) 0);
    }
    file.write(enciphered.flip(), materialOffset(slot));
  }

  /** Overwrites a slot. */
  public void erase(int slot) throws IOException {
    List<Integer> active = header.active();
    if (!active.contains(slot)) {
      throw new IOException(file.name() + ": key slot " + slot + " is not in use");
    }
    if (active.size() == 1) {
      throw new IOException(
          file.name() + ": key slot " + slot + " is the last one, without which nothing opens it");
    }
    LuksHeader.Slot inactive = header.slots().get(slot).inactive();
    long at = offset + LuksHeader.slotOffset(slot);
    file.write(inactive.encode().limit(LuksHeader.ACTIVE.length()), at);
    file.flush();
    header = header.with(slot, inactive);
    file.write(inactive.encode(), at);
    byte[] noise = new byte[header.materialBytes()];
    RANDOM.nextBytes(noise);
    file.write(ByteBuffer.wrap(noise), materialOffset(inactive));
    file.flush();
  }

  /** Wipes the key. */
  @Override
  public void close() {
    if (key != null) {
      Arrays.fill(key, (byte) 0);
      key = null;
    }
  }
}
