package io.vdisk.format.qcow.crypt;

import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * What a new LUKS header is to be: the options of {@code qemu-img create}, with its defaults.
 *
 * <ul>
 *   <li>{@code encrypt.cipher-alg}: {@code aes-128}, {@code aes-192}, {@code aes-256} (default)
 *   <li>{@code encrypt.cipher-mode}: {@code xts} (default), {@code cbc}
 *   <li>{@code encrypt.ivgen-alg}: {@code plain}, {@code plain64} (default), {@code essiv} with
 *       {@code encrypt.ivgen-hash-alg=sha256}, only for CBC
 *   <li>{@code encrypt.hash-alg}: {@code sha1}, {@code sha224}, {@code sha256} (default), {@code
 *       sha384}, {@code sha512}
 *   <li>{@code encrypt.iter-time}: milliseconds that an attempt at a passphrase shall take here,
 *       2000 by default; 1000 iterations at least
 * </ul>
 */
record LuksOptions(LuksCipher cipher, LuksHash hash, long iterationMillis) {
  /** An hour is more than {@link LuksHeader#MAX_COST} allows anyway. */
  private static final long MAX_MILLIS = 3_600_000;

  /**
   * Takes the options.
   *
   * @param options removes and returns the value of an option; null if it is not given
   */
  static LuksOptions take(UnaryOperator<@org.jspecify.annotations.Nullable String> options) {
    return new Taking(options).all();
  }

  private record Taking(UnaryOperator<@org.jspecify.annotations.Nullable String> options) {
    private String take(String name, String otherwise) {
      String value = options.apply("encrypt." + name);
      return value == null ? otherwise : value;
    }

    LuksOptions all() {
      String algorithm = take("cipher-alg", "aes-256");
      Integer bytes = Map.of("aes-128", 16, "aes-192", 24, "aes-256", 32).get(algorithm);
      if (bytes == null) {
        throw wrong("cipher-alg", algorithm, "aes-128, aes-192 or aes-256");
      }
      String mode = take("cipher-mode", "xts");
      if (!mode.equals("xts") && !mode.equals("cbc")) {
        throw wrong("cipher-mode", mode, "xts or cbc");
      }
      String iv = take("ivgen-alg", "plain64");
      String ivHash = take("ivgen-hash-alg", "sha256");
      if (!ivHash.equals("sha256")) {
        throw wrong("ivgen-hash-alg", ivHash, "sha256");
      }
      Optional<LuksCipher> cipher =
          LuksCipher.of(
              "aes",
              mode + "-" + (iv.equals("essiv") ? "essiv:sha256" : iv),
              mode.equals("xts") ? bytes * 2 : bytes);
      String hashName = take("hash-alg", "sha256");
      Optional<LuksHash> hash = LuksHash.named(hashName);
      return new LuksOptions(
          cipher.orElseThrow(
              () -> wrong("ivgen-alg", iv, "plain or plain64, or essiv with cbc; aes-192 is cbc")),
          hash.orElseThrow(
              () -> wrong("hash-alg", hashName, "sha1, sha224, sha256, sha384 or sha512")),
          millis());
    }

    private long millis() {
      String text = take("iter-time", "2000");
      if (!text.matches("[0-9]{1,9}") || Long.parseLong(text) > MAX_MILLIS || text.matches("0+")) {
        throw wrong("iter-time", text, "milliseconds, up to " + MAX_MILLIS);
      }
      return Long.parseLong(text);
    }

    private static IllegalArgumentException wrong(String option, String value, String expected) {
      return new IllegalArgumentException(
          "encrypt." + option + " is '" + value + "', and must be " + expected);
    }
  }
}
