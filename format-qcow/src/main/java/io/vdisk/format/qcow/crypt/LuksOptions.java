package io.vdisk.format.qcow.crypt;

import io.vdisk.FormatOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** What a new LUKS header is to be: the options of {@code qemu-img create}, with its defaults. */
record LuksOptions(LuksCipher cipher, LuksHash hash, long iterationMillis) {
  private static final FormatOption CIPHER_ALG =
      option("cipher-alg", "aes-128, aes-192 or aes-256 (default)");
  private static final FormatOption CIPHER_MODE = option("cipher-mode", "xts (default) or cbc");
  private static final FormatOption IV =
      option("ivgen-alg", "plain, plain64 (default), or with cbc essiv");
  private static final FormatOption IV_HASH = option("ivgen-hash-alg", "sha256, of essiv");
  private static final FormatOption HASH =
      option("hash-alg", "sha1, sha224, sha256 (default), sha384 or sha512");

  /** All of them; {@code iter-time} makes 1000 iterations at least. */
  static final List<FormatOption> ALL =
      List.of(CIPHER_ALG, CIPHER_MODE, IV, IV_HASH, HASH, FormatOption.ITERATION_TIME);

  /** An hour is more than {@link LuksHeader#MAX_COST} allows anyway. */
  private static final long MAX_MILLIS = 3_600_000;

  private static FormatOption option(String name, String purpose) {
    return new FormatOption("encrypt." + name, FormatOption.Value.TEXT, purpose);
  }

  /**
   * Takes the options.
   *
   * @param options removes and returns the value of an option; null if it is not given
   */
  static LuksOptions take(UnaryOperator<@org.jspecify.annotations.Nullable String> options) {
    return new Taking(options).all();
  }

  private record Taking(UnaryOperator<@org.jspecify.annotations.Nullable String> options) {
    private String take(FormatOption option, String otherwise) {
      String value = options.apply(option.name());
      return value == null ? otherwise : value;
    }

    LuksOptions all() {
      String algorithm = take(CIPHER_ALG, "aes-256");
      Integer bytes = Map.of("aes-128", 16, "aes-192", 24, "aes-256", 32).get(algorithm);
      if (bytes == null) {
        throw wrong(CIPHER_ALG, algorithm, "aes-128, aes-192 or aes-256");
      }
      String mode = take(CIPHER_MODE, "xts");
      if (!mode.equals("xts") && !mode.equals("cbc")) {
        throw wrong(CIPHER_MODE, mode, "xts or cbc");
      }
      String iv = take(IV, "plain64");
      String ivHash = take(IV_HASH, "sha256");
      if (!ivHash.equals("sha256")) {
        throw wrong(IV_HASH, ivHash, "sha256");
      }
      Optional<LuksCipher> cipher =
          LuksCipher.of(
              "aes",
              mode + "-" + (iv.equals("essiv") ? "essiv:sha256" : iv),
              mode.equals("xts") ? bytes * 2 : bytes);
      String hashName = take(HASH, "sha256");
      Optional<LuksHash> hash = LuksHash.named(hashName);
      return new LuksOptions(
          cipher.orElseThrow(
              () -> wrong(IV, iv, "plain or plain64, or essiv with cbc; aes-192 is cbc")),
          hash.orElseThrow(() -> wrong(HASH, hashName, "sha1, sha224, sha256, sha384 or sha512")),
          millis());
    }

    private long millis() {
      String text = take(FormatOption.ITERATION_TIME, "2000");
      if (!text.matches("[0-9]{1,9}") || Long.parseLong(text) > MAX_MILLIS || text.matches("0+")) {
        throw wrong(FormatOption.ITERATION_TIME, text, "milliseconds, up to " + MAX_MILLIS);
      }
      return Long.parseLong(text);
    }

    private static IllegalArgumentException wrong(
        FormatOption option, String value, String expected) {
      return new IllegalArgumentException(
          option.name() + " is '" + value + "', and must be " + expected);
    }
  }
}
