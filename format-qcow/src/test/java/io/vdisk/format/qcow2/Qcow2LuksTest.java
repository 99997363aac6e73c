package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.SecretException;
import io.vdisk.Secrets;
import io.vdisk.feature.Checking;
import io.vdisk.feature.KeySlots;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** LUKS in qcow2: passphrases, key slots, and headers that lie. */
class Qcow2LuksTest {
  private static final int SIZE = 1 << 20;
  private static final String NAME = "image";

  private final MemoryFile file = new MemoryFile(NAME);

  private static Secrets secrets(String passphrase) {
    return (name, purpose) -> Optional.of(passphrase.getBytes(StandardCharsets.UTF_8));
  }

  private static OpenOptions reading(String passphrase) {
    return OpenOptions.readOnly()
        .withFormats(Qcow2Subject.FORMATS)
        .withSecrets(secrets(passphrase));
  }

  private static OpenOptions writing(String passphrase) {
    return OpenOptions.readWrite()
        .withFormats(Qcow2Subject.FORMATS)
        .withSecrets(secrets(passphrase));
  }

  private static CreateOptions creation(String passphrase, Map<String, String> choices) {
    CreateOptions options =
        CreateOptions.of("qcow2", SIZE)
            .withFormats(Qcow2Subject.FORMATS)
            .withSecrets(secrets(passphrase));
    for (Map.Entry<String, String> choice : choices.entrySet()) {
      options = options.withOption(choice.getKey(), choice.getValue());
    }
    return options;
  }

  /** An image with some data, whose passphrase is "first". */
  private byte[] create() throws IOException {
    byte[] data = "plain text that nobody sees".getBytes(StandardCharsets.US_ASCII);
    try (BlockDevice device = Images.create(file, creation("first", Qcow2Subject.LUKS))) {
      device.write(ByteBuffer.wrap(data), 5000);
    }
    return data;
  }

  private static byte[] bytesOf(HostFile file) throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) file.size());
    file.readFully(all, 0);
    return all.array();
  }

  /** Where the LUKS header begins: after header, refcount table, refcount block and L1 table. */
  private static int headerOf(byte[] image) {
    String text = new String(image, StandardCharsets.ISO_8859_1);
    return text.indexOf("LUKS\u00ba\u00be");
  }

  private static boolean opens(HostFile image, String passphrase) throws IOException {
    try (BlockDevice device = Images.open(image, reading(passphrase))) {
      ByteBuffer read = ByteBuffer.allocate(5);
      device.read(read, 5000);
      assertArrayEquals("plain".getBytes(StandardCharsets.US_ASCII), read.array());
      return true;
    } catch (SecretException e) {
      return false;
    }
  }

  @Test
  void slotIsChosenAndFoundByItsPassphrase() throws IOException {
    create();
    char[] second = "second".toCharArray();
    try (BlockDevice device = Images.open(file, writing("first"))) {
      KeySlots slots = device.feature(KeySlots.class).orElseThrow();

      assertEquals(5, slots.add(second, OptionalInt.of(5), OptionalLong.of(1)));
      assertEquals(1, slots.add(second, OptionalInt.empty(), OptionalLong.empty()));

      assertEquals(List.of(1, 5), slots.openedBy(second));
      assertEquals(List.of(0), slots.openedBy("first".toCharArray()));
      assertEquals(List.of(), slots.openedBy("third".toCharArray()));
      for (int taken : new int[] {0, 5, 8, -1}) {
        assertThrows(
            IOException.class,
            () -> slots.add(second, OptionalInt.of(taken), OptionalLong.empty()));
      }
      slots.erase(0);
      slots.erase(1);
    }
    assertTrue(opens(file, "second"));
    assertFalse(opens(file, "first"));
  }

  @Test
  void whatQemuMadeOpensWithItsPassphraseAlone() throws IOException {
    MemoryFile sample = Samples.open("luks.qcow2");
    try (BlockDevice device = Images.open(sample, reading("vdisk"))) {
      assertEquals(SIZE, device.size());
      assertEquals(true, device.info().details().get("encrypted"));
      Map<?, ?> encrypt = (Map<?, ?>) device.info().details().get("encrypt");
      assertEquals("luks", encrypt.get("format"));
      assertEquals("aes-256", encrypt.get("cipher-alg"));
      assertEquals("xts", encrypt.get("cipher-mode"));
      assertEquals("plain64", encrypt.get("ivgen-alg"));
      assertTrue(device.feature(Checking.class).orElseThrow().check(Progress.NONE).isClean());
    }
    for (String wrong : new String[] {"", "vdis", "vdisk "}) {
      SecretException e =
          assertThrows(SecretException.class, () -> Images.open(sample, reading(wrong)));
      assertEquals("luks.qcow2: the passphrase is wrong", e.getMessage());
    }
  }

  @Test
  void metadataNeedsNoPassphraseAndDataDoes() throws IOException {
    create();
    OpenOptions none = OpenOptions.readOnly().withFormats(Qcow2Subject.FORMATS);
    SecretException refused = assertThrows(SecretException.class, () -> Images.open(file, none));
    assertEquals(
        "image: encrypted (luks), and no passphrase was given for it", refused.getMessage());
    try (BlockDevice device = Images.open(file, none.withoutBacking())) {
      assertTrue(device.feature(Checking.class).orElseThrow().check(Progress.NONE).isClean());
      assertEquals(List.of(0), device.feature(KeySlots.class).orElseThrow().used());
      assertThrows(SecretException.class, () -> device.read(ByteBuffer.allocate(1), 5000));
    }
  }

  @Test
  void hostSeesNeitherPlainTextNorPassphrase() throws IOException {
    create();
    String host = new String(bytesOf(file), StandardCharsets.ISO_8859_1);
    assertFalse(host.contains("plain text"));
    assertFalse(host.contains("first"));
    assertTrue(headerOf(bytesOf(file)) > 0);
  }

  @Test
  void passphrasesAreWipedAfterUse() throws IOException {
    List<byte[]> given = new ArrayList<>();
    Secrets remembered =
        (name, purpose) -> {
          given.add("first".getBytes(StandardCharsets.US_ASCII));
          return Optional.of(given.get(given.size() - 1));
        };
    Images.create(file, creation("", Qcow2Subject.LUKS).withSecrets(remembered)).close();
    Images.open(file, writing("").withSecrets(remembered)).close();
    assertThrows(
        IllegalArgumentException.class,
        () ->
            Images.create(
                new MemoryFile("other"),
                creation("", Qcow2Subject.LUKS).withSecrets(remembered).withOption("no", "1")));
    assertEquals(4, given.size());
    for (byte[] bytes : given) {
      assertArrayEquals(new byte[5], bytes);
    }
  }

  @Test
  void compressionIsRefused() throws IOException {
    create();
    try (BlockDevice device = Images.open(file, writing("first"))) {
      assertEquals(Optional.empty(), device.feature(UnitWriter.class));
    }
  }

  @Test
  void passphraseIsAddedReplacedAndErased() throws IOException {
    create();
    try (BlockDevice device = Images.open(file, writing("first"))) {
      KeySlots slots = device.feature(KeySlots.class).orElseThrow();
      assertEquals(8, slots.capacity());
      assertEquals(1, slots.add("s\u00e9cond".toCharArray()));
      assertEquals(2, slots.replace(0, "third".toCharArray()));
      assertEquals(List.of(1, 2), slots.used());
      device.write(ByteBuffer.wrap(new byte[100]), 60_000);
    }
    assertFalse(opens(file, "first"));
    assertTrue(opens(file, "s\u00e9cond"));
    assertTrue(opens(file, "third"));
    try (BlockDevice device = Images.open(file, writing("third"))) {
      KeySlots slots = device.feature(KeySlots.class).orElseThrow();
      slots.erase(1);
      IOException last = assertThrows(IOException.class, () -> slots.erase(2));
      assertTrue(last.getMessage().contains("is the last one"), last.getMessage());
      IOException unused = assertThrows(IOException.class, () -> slots.erase(1));
      assertTrue(unused.getMessage().contains("is not in use"), unused.getMessage());
      assertTrue(device.feature(Checking.class).orElseThrow().check(Progress.NONE).isClean());
    }
    assertFalse(opens(file, "s\u00e9cond"));
    assertTrue(opens(file, "third"));
  }

  @Test
  void slotsAreEightAndAllOpenTheImage() throws IOException {
    create();
    try (BlockDevice device = Images.open(file, writing("first"))) {
      KeySlots slots = device.feature(KeySlots.class).orElseThrow();
      for (int i = 1; i < 8; i++) {
        assertEquals(i, slots.add(("number " + i).toCharArray()));
      }
      assertThrows(IOException.class, () -> slots.add("ninth".toCharArray()));
    }
    for (int i = 1; i < 8; i++) {
      assertTrue(opens(file, "number " + i));
    }
    assertTrue(opens(file, "first"));
    assertFalse(opens(file, "ninth"));
  }

  @Test
  void readOnlyImageKeepsItsSlots() throws IOException {
    create();
    try (BlockDevice device = Images.open(file, reading("first"))) {
      KeySlots slots = device.feature(KeySlots.class).orElseThrow();
      assertThrows(IllegalStateException.class, () -> slots.add("second".toCharArray()));
      assertThrows(IllegalStateException.class, () -> slots.erase(0));
    }
  }

  /** Keeps what the host would hold after a power cut, whatever it had written by then. */
  private static final class CutFile extends ForwardingFile {
    private final List<byte[]> images = new ArrayList<>();
    private final List<byte[]> pending = new ArrayList<>();
    private final List<Long> offsets = new ArrayList<>();
    private byte[] durable;

    CutFile(HostFile file) throws IOException {
      super(file);
      durable = bytesOf(file);
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      byte[] bytes = new byte[src.remaining()];
      src.duplicate().get(bytes);
      pending.add(bytes);
      offsets.add(offset);
      super.write(src, offset);
      for (int chosen = 0; chosen < 1 << pending.size(); chosen++) {
        byte[] image = durable.clone();
        for (int i = 0; i < pending.size(); i++) {
          if ((chosen >> i & 1) != 0) {
            int at = Math.toIntExact(offsets.get(i));
            System.arraycopy(pending.get(i), 0, image, at, pending.get(i).length);
          }
        }
        images.add(image);
      }
    }

    @Override
    public void flush() throws IOException {
      super.flush();
      pending.clear();
      offsets.clear();
      durable = bytesOf(file());
    }
  }

  private static int used(HostFile image) throws IOException {
    OpenOptions options = OpenOptions.readOnly().withFormats(Qcow2Subject.FORMATS).withoutBacking();
    try (BlockDevice device = Images.open(image, options)) {
      return device.feature(KeySlots.class).orElseThrow().used().size();
    }
  }

  @Test
  void changeOfPassphraseSurvivesEveryPowerCut() throws IOException {
    create();
    CutFile cut = new CutFile(file);
    try (BlockDevice device = Images.open(cut, writing("first"))) {
      int slot = device.feature(KeySlots.class).orElseThrow().replace(0, "new".toCharArray());
      assertEquals(1, slot);
    }
    assertTrue(cut.images.size() > 8, cut.images.size() + " images");
    boolean seenFirst = false;
    boolean seenBoth = false;
    for (byte[] image : cut.images) {
      MemoryFile after = new MemoryFile(NAME, image);
      boolean first = opens(after, "first");
      boolean second = opens(after, "new");
      assertTrue(first || second, "nothing opens the image any longer");
      assertEquals((first ? 1 : 0) + (second ? 1 : 0), used(after), "active slots that open it");
      seenFirst |= first && !second;
      seenBoth |= first && second;
    }
    assertTrue(seenFirst && seenBoth);
    assertTrue(opens(file, "new"));
    assertFalse(opens(file, "first"));
  }

  /** Bytes from the header on, what is put there, and what the refusal says. */
  @ParameterizedTest
  @CsvSource({
    "0, 4c554b53baba, no LUKS header",
    "6, 0002, LUKS version 2 is not supported",
    "8, 74776f6669736800, cipher twofish-cbc-essiv:sha256",
    "40, 6563622d706c61696e00, cipher aes-ecb-plain",
    "40, 6362632d657373697600, cipher aes-cbc-essiv",
    "72, 776869726c706f6f6c00, hash whirlpool",
    "104, 00000001, key-material-offset",
    "108, 00000011, 17 bytes of key",
    "108, 7fffffff, 2147483647 bytes of key",
    "164, 00000000, mk-digest-iter",
    "164, ffffffff, asks for",
    "208, 00000000, active",
    "212, 00000000, iterations",
    "212, ffffffff, asks for",
    "248, 00000000, key-material-offset",
    "248, ffffffff, key-material-offset",
    "252, 00000fa1, stripes",
    "252, ffffffff, stripes",
    "252, 00000000, stripes",
    "256, 12345678, active",
    "296, 00000008, key-material-offset",
    "208, 0000dead, no key slot"
  })
  void headerThatLiesIsRefusedAtOnceAndNothingIsWritten(int at, String bytes, String message)
      throws IOException {
    create();
    byte[] image = bytesOf(file);
    byte[] changed = java.util.HexFormat.of().parseHex(bytes);
    System.arraycopy(changed, 0, image, headerOf(image) + at, changed.length);
    MemoryFile lying = new MemoryFile(NAME, image);
    long start = System.nanoTime();
    ImageException e =
        assertThrows(ImageException.class, () -> Images.open(lying, writing("first")));
    assertTrue(System.nanoTime() - start < 5_000_000_000L);
    assertTrue(e.getMessage().startsWith(NAME + ": "), e.getMessage());
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertArrayEquals(image, bytesOf(lying));
  }

  /** Offset in the pointer's data, and what is put there. */
  @ParameterizedTest
  @CsvSource({
    "0, 0000000000000000",
    "0, 0000000000001001",
    "0, 7fffffffffff0000",
    "0, ffffffffffff0000",
    "8, 0000000000000000",
    "8, 0000000000000100",
    "8, 7fffffffffffffff",
    "8, ffffffffffffffff"
  })
  void pointerThatLiesIsRefused(int at, String bytes) throws IOException {
    create();
    byte[] image = bytesOf(file);
    int pointer =
        new String(image, StandardCharsets.ISO_8859_1).indexOf("\u0005\u0037\u00be\u0077");
    byte[] changed = java.util.HexFormat.of().parseHex(bytes);
    System.arraycopy(changed, 0, image, pointer + 8 + at, 8);
    MemoryFile lying = new MemoryFile(NAME, image);
    assertThrows(CorruptImageException.class, () -> Images.open(lying, writing("first")));
  }

  @ParameterizedTest
  @CsvSource({
    "encrypt.format, des",
    "encrypt.cipher-alg, serpent-256",
    "encrypt.cipher-mode, ecb",
    "encrypt.ivgen-alg, none",
    "encrypt.ivgen-hash-alg, md5",
    "encrypt.hash-alg, md5",
    "encrypt.iter-time, 0",
    "encrypt.iter-time, 3600000",
    "encrypt.iter-time, -1",
    "preallocation, some"
  })
  void creationThatMakesNoSenseIsRefused(String option, String value) {
    CreateOptions options = creation("first", Qcow2Subject.LUKS).withOption(option, value);
    assertThrows(IllegalArgumentException.class, () -> Images.create(file, options));
  }

  @ParameterizedTest
  @ValueSource(strings = {"metadata", "falloc", "full"})
  void preallocatedDiskReadsAsZeroAndNotAsNoise(String mode) throws IOException {
    CreateOptions options = creation("first", Qcow2Subject.LUKS).withOption("preallocation", mode);
    try (BlockDevice device = Images.create(file, options)) {
      ByteBuffer all = ByteBuffer.allocate((int) device.size());
      device.read(all, 0);
      assertArrayEquals(new byte[all.capacity()], all.array());
      long before = file.size();
      device.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 70_000);
      device.flush();
      assertEquals(before, file.size(), "the space was there");
      device.read(all.clear().limit(4), 69_999);
      assertArrayEquals(new byte[] {0, 1, 2, 3}, java.util.Arrays.copyOf(all.array(), 4));
    }
  }

  @Test
  void preallocationThatVersion2CannotRecordIsRefused() {
    CreateOptions options =
        creation("first", Map.of("encrypt.format", "luks", "compat", "0.10"))
            .withOption("preallocation", "metadata");
    assertThrows(IllegalArgumentException.class, () -> Images.create(file, options));
  }

  @Test
  void encryptionOptionsWithoutEncryptionAreRefused() {
    CreateOptions options = creation("first", Map.of("encrypt.iter-time", "10"));
    assertThrows(IllegalArgumentException.class, () -> Images.create(file, options));
    CreateOptions none =
        creation("first", Map.of("encrypt.format", "luks")).withSecrets(Secrets.NONE);
    assertThrows(SecretException.class, () -> Images.create(file, none));
  }
}
