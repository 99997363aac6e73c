package io.vdisk.format.qcow.crypt;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of LUKS version 1, 592 bytes, big-endian, with eight key slots of 48 bytes each.
 * Source: LUKS On-Disk Format Specification 1.2.3, section 3. Everything has been checked.
 *
 * @param payloadSectors where data begins in a LUKS volume; in qcow2 the header's length
 * @param digest of the key, by which a right passphrase is known
 */
@SuppressWarnings("ArrayRecordComponent") // no header is compared with another
record LuksHeader(
    LuksCipher cipher,
    LuksHash hash,
    long payloadSectors,
    byte[] digest,
    byte[] digestSalt,
    long digestIterations,
    String uuid,
    List<Slot> slots) {
  private static final Struct STRUCT = Struct.bigEndian("LUKS header");
  private static final Struct.Bytes MAGIC = STRUCT.bytes("magic", 6);
  private static final Struct.U16 VERSION = STRUCT.u16("version");
  private static final Struct.Bytes CIPHER_NAME = STRUCT.bytes("cipher-name", 32);
  private static final Struct.Bytes CIPHER_MODE = STRUCT.bytes("cipher-mode", 32);
  private static final Struct.Bytes HASH_SPEC = STRUCT.bytes("hash-spec", 32);
  private static final Struct.U32 PAYLOAD_OFFSET = STRUCT.u32("payload-offset");
  private static final Struct.U32 KEY_BYTES = STRUCT.u32("key-bytes");
  private static final Struct.Bytes MK_DIGEST = STRUCT.bytes("mk-digest", 20);
  private static final Struct.Bytes MK_DIGEST_SALT = STRUCT.bytes("mk-digest-salt", 32);
  private static final Struct.U32 MK_DIGEST_ITER = STRUCT.u32("mk-digest-iter");
  private static final Struct.Bytes UUID = STRUCT.bytes("uuid", 40);
  private static final int SLOTS_OFFSET = STRUCT.size();

  static {
    STRUCT.bytes("key-slots", 8 * 48);
    STRUCT.end(592);
  }

  private static final Struct SLOT = Struct.bigEndian("LUKS key slot");
  static final Struct.U32 ACTIVE = SLOT.u32("active");
  private static final Struct.U32 ITERATIONS = SLOT.u32("iterations");
  private static final Struct.Bytes SALT = SLOT.bytes("salt", 32);
  private static final Struct.U32 KEY_MATERIAL_OFFSET = SLOT.u32("key-material-offset");
  private static final Struct.U32 STRIPES_FIELD = SLOT.u32("stripes");

  static {
    SLOT.end(48);
  }

  private static final byte[] LUKS = {'L', 'U', 'K', 'S', (byte) 0xba, (byte) 0xbe};
  private static final long ENABLED = 0x00ac_71f3L;
  private static final long DISABLED = 0x0000_deadL;
  static final int SLOTS = 8;
  static final int SALT_BYTES = 32;
  static final int DIGEST_BYTES = 20;

  /** Stripes of a key: what cryptsetup and QEMU write, and all that QEMU opens. */
  static final int STRIPES = 4000;

  /** The first key material begins here, and the others at multiples of it, as QEMU has them. */
  private static final int ALIGNMENT = 4096;

  /**
   * HMACs that one attempt at a passphrase may take over all slots: about a minute. Ours. QEMU's
   * default of two seconds for a slot takes some 5 million.
   */
  static final long MAX_COST = 1L << 26;

  /**
   * A key slot.
   *
   * @param isActive whether it holds the key
   * @param materialSectors where its stripes begin, from the header on
   */
  @SuppressWarnings("ArrayRecordComponent") // nor is a slot
  record Slot(boolean isActive, long iterations, byte[] salt, long materialSectors) {
    Slot inactive() {
      return new Slot(false, 0, new byte[SALT_BYTES], materialSectors);
    }

    ByteBuffer encode() {
      ByteBuffer bytes = ByteBuffer.allocate(SLOT.size());
      ACTIVE.put(bytes, 0, isActive ? ENABLED : DISABLED);
      ITERATIONS.put(bytes, 0, iterations);
      SALT.put(bytes, 0, salt);
      KEY_MATERIAL_OFFSET.put(bytes, 0, materialSectors);
      STRIPES_FIELD.put(bytes, 0, STRIPES);
      return bytes;
    }
  }

  /** Bytes of a slot's stripes. */
  int splitBytes() {
    return cipher.keyBytes() * STRIPES;
  }

  /** Bytes of the sectors that a slot's stripes are enciphered in. */
  int materialBytes() {
    return (int) materialSectors(cipher) * LuksCipher.SECTOR;
  }

  /** Sectors that they take. */
  private static long materialSectors(LuksCipher cipher) {
    return ((long) cipher.keyBytes() * STRIPES + LuksCipher.SECTOR - 1) / LuksCipher.SECTOR;
  }

  /** Where a slot lies, from the header on. */
  static int slotOffset(int slot) {
    return SLOTS_OFFSET + slot * SLOT.size();
  }

  /** Inactive slots, one behind the other, aligned. */
  static List<Slot> emptySlots(LuksCipher cipher) {
    long step = roundUp(materialSectors(cipher));
    List<Slot> slots = new ArrayList<>();
    for (int i = 0; i < SLOTS; i++) {
      long at = ALIGNMENT / LuksCipher.SECTOR + i * step;
      slots.add(new Slot(false, 0, new byte[SALT_BYTES], at));
    }
    return slots;
  }

  /** The same header with another key slot. */
  LuksHeader with(int slot, Slot other) {
    List<Slot> changed = new ArrayList<>(slots);
    changed.set(slot, other);
    return new LuksHeader(
        cipher,
        hash,
        payloadSectors,
        digest,
        digestSalt,
        digestIterations,
        uuid,
        List.copyOf(changed));
  }

  /** Numbers of the slots that hold the key. */
  List<Integer> active() {
    List<Integer> active = new ArrayList<>();
    for (int i = 0; i < SLOTS; i++) {
      if (slots.get(i).isActive) {
        active.add(i);
      }
    }
    return active;
  }

  /** HMACs that one attempt at a passphrase takes, whatever slot it fits. */
  private static long cost(
      LuksCipher cipher, LuksHash hash, long digestIterations, List<Slot> slots) {
    long cost = 0;
    for (Slot slot : slots) {
      if (slot.isActive) {
        cost += hash.cost(slot.iterations, cipher.keyBytes());
        cost += hash.cost(digestIterations, DIGEST_BYTES);
      }
    }
    return cost;
  }

  /** Whether all its slots together may be tried. */
  boolean isAffordable() {
    return cost(cipher, hash, digestIterations, slots) <= MAX_COST;
  }

  /** Bytes of a header with all its stripes. */
  static long length(LuksCipher cipher) {
    return ALIGNMENT + SLOTS * roundUp(materialSectors(cipher)) * LuksCipher.SECTOR;
  }

  private static long roundUp(long sectors) {
    long step = ALIGNMENT / LuksCipher.SECTOR;
    return (sectors + step - 1) / step * step;
  }

  ByteBuffer encode() {
    ByteBuffer bytes = ByteBuffer.allocate(STRUCT.size());
    MAGIC.put(bytes, 0, LUKS);
    VERSION.put(bytes, 0, 1);
    CIPHER_NAME.put(bytes, 0, "aes".getBytes(StandardCharsets.US_ASCII));
    CIPHER_MODE.put(bytes, 0, cipher.mode().getBytes(StandardCharsets.US_ASCII));
    HASH_SPEC.put(bytes, 0, hash.title().getBytes(StandardCharsets.US_ASCII));
    PAYLOAD_OFFSET.put(bytes, 0, payloadSectors);
    KEY_BYTES.put(bytes, 0, cipher.keyBytes());
    MK_DIGEST.put(bytes, 0, digest);
    MK_DIGEST_SALT.put(bytes, 0, digestSalt);
    MK_DIGEST_ITER.put(bytes, 0, digestIterations);
    UUID.put(bytes, 0, uuid.getBytes(StandardCharsets.US_ASCII));
    for (int i = 0; i < SLOTS; i++) {
      bytes.put(slotOffset(i), slots.get(i).encode().array());
    }
    return bytes;
  }

  /**
   * Reads and checks a header; nothing that it asks for is read or computed.
   *
   * @param length bytes that belong to the header and its stripes
   */
  static LuksHeader read(HostFile file, long offset, long length) throws IOException {
    String name = file.name();
    if (length < STRUCT.size() || offset > file.size() - STRUCT.size()) {
      throw new CorruptImageException(
          name + ": LUKS header of " + length + " bytes at offset " + offset);
    }
    ByteBuffer bytes = ByteBuffer.allocate(STRUCT.size());
    file.readFully(bytes, offset);
    Reading reading = new Reading(name, offset, length, bytes);
    return reading.header();
  }

  /** One header that is being checked. */
  private record Reading(String file, long offset, long length, ByteBuffer bytes) {
    LuksHeader header() throws IOException {
      if (!java.util.Arrays.equals(MAGIC.get(bytes, 0), LUKS)) {
        throw new CorruptImageException(file + ": no LUKS header at offset " + offset);
      }
      if (VERSION.get(bytes, 0) != 1) {
        throw new UnsupportedImageException(
            file + ": LUKS version " + VERSION.get(bytes, 0) + " is not supported");
      }
      String name = CIPHER_NAME.ascii(bytes, 0);
      String mode = CIPHER_MODE.ascii(bytes, 0);
      long keyBytes = KEY_BYTES.get(bytes, 0);
      LuksCipher cipher =
          LuksCipher.of(name, mode, keyBytes)
              .orElseThrow(
                  () ->
                      new UnsupportedImageException(
                          (file + ": the LUKS cipher " + printable(name + "-" + mode))
                              + (" with " + keyBytes + " bytes of key is not supported")));
      String hashName = HASH_SPEC.ascii(bytes, 0);
      LuksHash hash =
          LuksHash.named(hashName)
              .orElseThrow(
                  () ->
                      new UnsupportedImageException(
                          file + ": the LUKS hash " + printable(hashName) + " is not supported"));
      long payload = PAYLOAD_OFFSET.get(bytes, 0);
      long iterations = MK_DIGEST_ITER.get(bytes, 0);
      if (iterations == 0) {
        throw wrong(MK_DIGEST_ITER, 0, iterations);
      }
      List<Slot> slots = slots(cipher, payload);
      checkCost(cipher, hash, iterations, slots);
      return new LuksHeader(
          cipher,
          hash,
          payload,
          MK_DIGEST.get(bytes, 0),
          MK_DIGEST_SALT.get(bytes, 0),
          iterations,
          printable(UUID.ascii(bytes, 0)),
          slots);
    }

    private List<Slot> slots(LuksCipher cipher, long payload) throws IOException {
      List<Slot> slots = new ArrayList<>();
      for (int i = 0; i < SLOTS; i++) {
        int base = slotOffset(i);
        long active = ACTIVE.get(bytes, base);
        if (active != ENABLED && active != DISABLED) {
          throw wrong(ACTIVE, base, active);
        }
        long stripes = STRIPES_FIELD.get(bytes, base);
        if (stripes != STRIPES) {
          throw wrong(STRIPES_FIELD, base, stripes);
        }
        long at = KEY_MATERIAL_OFFSET.get(bytes, base);
        long end = at + materialSectors(cipher);
        if (at * LuksCipher.SECTOR < STRUCT.size()
            || end * LuksCipher.SECTOR > length
            || end > payload) {
          throw wrong(KEY_MATERIAL_OFFSET, base, at);
        }
        for (Slot other : slots) {
          if (at < other.materialSectors + materialSectors(cipher) && other.materialSectors < end) {
            throw wrong(KEY_MATERIAL_OFFSET, base, at);
          }
        }
        long iterations = ITERATIONS.get(bytes, base);
        if (active == ENABLED && iterations == 0) {
          throw wrong(ITERATIONS, base, iterations);
        }
        slots.add(new Slot(active == ENABLED, iterations, SALT.get(bytes, base), at));
      }
      return List.copyOf(slots);
    }

    private void checkCost(LuksCipher cipher, LuksHash hash, long iterations, List<Slot> slots)
        throws CorruptImageException {
      long cost = cost(cipher, hash, iterations, slots);
      if (cost > MAX_COST) {
        throw new CorruptImageException(
            (file + ": the LUKS header at offset " + offset + " asks for " + cost)
                + (" rounds of " + hash.title() + " to try a passphrase, over " + MAX_COST));
      }
    }

    private CorruptImageException wrong(Struct.Field field, int base, long value) {
      return new CorruptImageException(
          file
              + ": LUKS "
              + field.name()
              + " at offset "
              + (offset + base + field.offset())
              + " is "
              + value);
    }

    private static String printable(String text) {
      return text.replaceAll("[^ -~]", "?");
    }
  }

  /** What {@code qemu-img info} tells. */
  Map<String, Object> describe() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("format", "luks");
    fields.put("cipher-alg", cipher.algorithm());
    fields.put("cipher-mode", cipher.isXts() ? "xts" : "cbc");
    fields.put("ivgen-alg", cipher.ivName());
    if (cipher.ivName().equals("essiv")) {
      fields.put("ivgen-hash-alg", "sha256");
    }
    fields.put("hash-alg", hash.title());
    fields.put("uuid", uuid);
    fields.put("payload-offset", payloadSectors * LuksCipher.SECTOR);
    fields.put("master-key-iters", digestIterations);
    List<Map<String, Object>> described = new ArrayList<>();
    for (Slot slot : slots) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("active", slot.isActive);
      if (slot.isActive) {
        one.put("iters", slot.iterations);
        one.put("stripes", STRIPES);
      }
      one.put("key-offset", slot.materialSectors * LuksCipher.SECTOR);
      described.add(one);
    }
    fields.put("slots", described);
    return fields;
  }
}
