package io.vdisk.format.qcow.crypt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LuksHashTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** RFC 6070 for SHA-1, RFC 7914 section 11 for SHA-256. */
  @ParameterizedTest
  @CsvSource({
    "SHA1, password, salt, 1, 0c60c80f961f0e71f3a9b524af6012062fe037a6",
    "SHA1, password, salt, 2, ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957",
    "SHA1, password, salt, 4096, 4b007901b765489abead49d926f721d065a429c1",
    "SHA1, passwordPASSWORDpassword, saltSALTsaltSALTsaltSALTsaltSALTsalt, 4096,"
        + "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
    "SHA256, passwd, salt, 1, 55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        + "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
  })
  void derivedKeyIsThatOfTheVector(
      LuksHash hash, String password, String salt, long iterations, String key) {
    byte[] expected = HexFormat.of().parseHex(key);
    assertArrayEquals(
        expected, hash.pbkdf2(bytes(password), bytes(salt), iterations, expected.length));
  }

  @ParameterizedTest
  @EnumSource
  void splitKeyIsMergedAgain(LuksHash hash) {
    byte[] key = bytes("a key of 33 bytes, longer than one");
    Splitter splitter = new Splitter(hash, 50);
    byte[] split = splitter.split(key, new SecureRandom());
    assertEquals(50 * key.length, split.length);
    assertArrayEquals(key, splitter.merge(split));
    split[7]++;
    assertEquals(false, java.util.Arrays.equals(key, splitter.merge(split)));
  }

  @Test
  void emptyPassphraseIsOne() {
    assertEquals(20, LuksHash.SHA1.pbkdf2(new byte[0], new byte[8], 1, 20).length);
  }
}
