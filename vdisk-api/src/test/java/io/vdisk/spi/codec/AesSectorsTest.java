package io.vdisk.spi.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class AesSectorsTest {
  private static final int SECTOR = 512;
  private static final long SEED = 1619;

  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text);
  }

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(SEED + length).nextBytes(bytes);
    return bytes;
  }

  private static byte[] encrypt(AesSectors cipher, byte[] plain, long sector) {
    ByteBuffer target = ByteBuffer.allocate(plain.length);
    cipher.encrypt(ByteBuffer.wrap(plain), target, sector);
    return target.array();
  }

  private static byte[] decrypt(AesSectors cipher, byte[] enciphered, long sector) {
    ByteBuffer data = ByteBuffer.wrap(enciphered.clone());
    cipher.decrypt(data, sector);
    assertFalse(data.hasRemaining());
    return data.array();
  }

  /** Vectors 15 to 18 have units of odd length, which no disk has. */
  static List<String> ieee1619() throws IOException {
    try (InputStream in = AesSectorsTest.class.getResourceAsStream("ieee1619.txt")) {
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      return text.lines().filter(line -> !line.startsWith("#")).toList();
    }
  }

  @ParameterizedTest
  @MethodSource("ieee1619")
  void xtsVectorOfTheStandard(String vector) {
    String[] words = vector.split(" ");
    long unit = Long.parseLong(words[1], 16);
    byte[] plain = hex(words[3]);
    byte[] enciphered = hex(words[4]);
    AesSectors cipher =
        AesSectors.xts(hex(words[2]), SectorIv.PLAIN64, plain.length, SectorNumber.GUEST);
    assertArrayEquals(enciphered, encrypt(cipher, plain, unit));
    assertArrayEquals(plain, decrypt(cipher, enciphered, unit));
  }

  @Test
  void allFourteenVectorsAreThere() throws IOException {
    assertEquals(14, ieee1619().size());
  }

  /**
   * NIST SP 800-38A, F.2.1 to F.2.6; the initial vector is no sector's number, so it is mixed in.
   */
  @ParameterizedTest
  @CsvSource({
    "2b7e151628aed2a6abf7158809cf4f3c,"
        + "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
        + "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
    "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b,"
        + "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
        + "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4,"
        + "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
        + "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"
  })
  void cbcVectorOfNist(String key, String enciphered) {
    byte[] plain =
        hex(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                + "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
    AesSectors cipher = AesSectors.cbc(hex(key), SectorIv.PLAIN64, 64, SectorNumber.GUEST);
    byte[] mixed = plain.clone();
    for (int i = 0; i < 16; i++) {
      mixed[i] ^= (byte) i; // the vectors' initial vector is 00 to 0f, that of sector 0 is zeroes
    }
    assertArrayEquals(hex(enciphered), encrypt(cipher, mixed, 0));
    assertArrayEquals(mixed, decrypt(cipher, hex(enciphered), 0));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 31, 32, 33, 100})
  void cbcOfManySectorsIsTheJdksOfEach(int sectors) throws GeneralSecurityException {
    byte[] key = bytes(16);
    byte[] plain = bytes(sectors * SECTOR);
    byte[] expected = new byte[plain.length];
    for (int i = 0; i < sectors; i++) {
      ByteBuffer iv = ByteBuffer.allocate(16).order(java.nio.ByteOrder.LITTLE_ENDIAN);
      Cipher jdk = Cipher.getInstance("AES/CBC/NoPadding");
      jdk.init(
          Cipher.ENCRYPT_MODE,
          new SecretKeySpec(key, "AES"),
          new IvParameterSpec(iv.putLong(7L + i).array()));
      jdk.doFinal(plain, i * SECTOR, SECTOR, expected, i * SECTOR);
    }
    AesSectors cipher = AesSectors.cbc(key, SectorIv.PLAIN64, SECTOR, SectorNumber.GUEST);
    assertArrayEquals(expected, encrypt(cipher, plain, 7));
    assertArrayEquals(plain, decrypt(cipher, expected, 7));
  }

  @Test
  void plainNumbersWrapAndLongOnesDoNot() {
    byte[] key = bytes(32);
    byte[] plain = bytes(SECTOR);
    AesSectors shortNumbers = AesSectors.xts(key, SectorIv.PLAIN, SECTOR, SectorNumber.GUEST);
    AesSectors longNumbers = AesSectors.xts(key, SectorIv.PLAIN64, SECTOR, SectorNumber.GUEST);
    long far = 1L << 32 | 5;
    assertArrayEquals(encrypt(shortNumbers, plain, 5), encrypt(shortNumbers, plain, far));
    assertArrayEquals(encrypt(shortNumbers, plain, 5), encrypt(longNumbers, plain, 5));
    assertFalse(Arrays.equals(encrypt(longNumbers, plain, 5), encrypt(longNumbers, plain, far)));
  }

  @Test
  void numberIsTheGuestsOrTheHosts() {
    byte[] key = bytes(32);
    byte[] plain = bytes(2 * SECTOR);
    AesSectors guest = AesSectors.xts(key, SectorIv.PLAIN64, SECTOR, SectorNumber.GUEST);
    AesSectors host = AesSectors.xts(key, SectorIv.PLAIN64, SECTOR, SectorNumber.HOST);
    ByteBuffer byGuest = ByteBuffer.allocate(plain.length);
    ByteBuffer byHost = ByteBuffer.allocate(plain.length);
    guest.encrypt(ByteBuffer.wrap(plain), byGuest, 3 * SECTOR, 9 * SECTOR);
    host.encrypt(ByteBuffer.wrap(plain), byHost, 3 * SECTOR, 9 * SECTOR);
    assertArrayEquals(encrypt(guest, plain, 3), byGuest.array());
    assertArrayEquals(encrypt(guest, plain, 9), byHost.array());
    guest.decrypt(byGuest.flip(), 3 * SECTOR, 9 * SECTOR);
    assertArrayEquals(plain, byGuest.array());
  }

  @Test
  void buffersAreOfAnyKindAndOnlyTheirRangeIsTouched() {
    AesSectors cipher = AesSectors.xts(bytes(64), SectorIv.PLAIN64, SECTOR, SectorNumber.GUEST);
    byte[] plain = bytes(70 * SECTOR);
    byte[] expected = encrypt(cipher, plain, 1);
    ByteBuffer direct = ByteBuffer.allocateDirect(plain.length + 20).position(7);
    direct.put(plain).flip().position(7);
    ByteBuffer target = ByteBuffer.allocateDirect(plain.length + 20).position(3);
    cipher.encrypt(direct.asReadOnlyBuffer(), target, 1);
    assertEquals(3 + plain.length, target.position());
    byte[] made = new byte[plain.length];
    target.get(3, made);
    assertArrayEquals(expected, made);
    assertEquals(0, target.get(2));
    assertEquals(0, target.get(3 + plain.length));
    ByteBuffer inPlace = ByteBuffer.allocateDirect(plain.length + 9).position(9).put(made).flip();
    cipher.decrypt(inPlace.position(9), 1);
    byte[] back = new byte[plain.length];
    inPlace.get(9, back);
    assertArrayEquals(plain, back);
  }

  @Test
  void manyThreadsShareOneCipher() throws Exception {
    AesSectors cipher =
        AesSectors.cbc(bytes(32), SectorIv.ESSIV_SHA256, SECTOR, SectorNumber.GUEST);
    byte[] plain = bytes(8 * SECTOR);
    List<byte[]> expected = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      expected.add(encrypt(cipher, plain, i));
    }
    ExecutorService threads = Executors.newFixedThreadPool(24);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int thread = 0; thread < 24; thread++) {
        running.add(
            threads.submit(
                () -> {
                  for (int round = 0; round < 20; round++) {
                    for (int i = 0; i < 40; i++) {
                      assertArrayEquals(expected.get(i), encrypt(cipher, plain, i));
                      assertArrayEquals(plain, decrypt(cipher, expected.get(i), i));
                    }
                  }
                }));
      }
      for (Future<?> one : running) {
        one.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void whatCannotBeIsRefused() {
    byte[] key = bytes(32);
    AesSectors cipher = AesSectors.xts(key, SectorIv.PLAIN64, SECTOR, SectorNumber.GUEST);
    assertThrows(
        IllegalArgumentException.class, () -> cipher.decrypt(ByteBuffer.allocate(SECTOR - 1), 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> cipher.decrypt(ByteBuffer.allocate(SECTOR), SECTOR + 16, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> AesSectors.xts(bytes(48), SectorIv.PLAIN64, SECTOR, SectorNumber.GUEST));
    assertThrows(
        IllegalArgumentException.class,
        () -> AesSectors.xts(key, SectorIv.ESSIV_SHA256, SECTOR, SectorNumber.GUEST));
    assertThrows(
        IllegalArgumentException.class,
        () -> AesSectors.cbc(bytes(15), SectorIv.PLAIN64, SECTOR, SectorNumber.GUEST));
    assertThrows(
        IllegalArgumentException.class,
        () -> AesSectors.cbc(key, SectorIv.PLAIN64, 48, SectorNumber.GUEST));
  }

  @Test
  void closedCipherHasNoKeyAnyLonger() {
    AesSectors cipher = AesSectors.xts(bytes(32), SectorIv.PLAIN64, SECTOR, SectorNumber.GUEST);
    cipher.close();
    assertThrows(IllegalStateException.class, () -> cipher.decrypt(ByteBuffer.allocate(SECTOR), 0));
  }
}
