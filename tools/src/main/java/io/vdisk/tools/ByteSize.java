package io.vdisk.tools;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Sizes as people write them: 64k, 1.5G, 4 MiB. Powers of 1024. */
final class ByteSize {
  private static final String SUFFIXES = "bkMGTPE";
  private static final String UNITS = " KMGTPE";

  private ByteSize() {}

  /**
   * Bytes of a size with one of the suffixes b, k, M, G, T, P, E, in either case; a fraction is
   * allowed if whole bytes come out.
   *
   * @param unit bytes that a number without suffix counts
   */
  static long parse(String text, long unit) throws UsageException {
    String number = text;
    long scale = unit;
    if (!text.isEmpty()) {
      char last = text.charAt(text.length() - 1);
      for (int i = 0; i < SUFFIXES.length(); i++) {
        if (Character.toLowerCase(last) == Character.toLowerCase(SUFFIXES.charAt(i))) {
          number = text.substring(0, text.length() - 1);
          scale = 1L << (10 * i);
        }
      }
    }
    try {
      if (!number.isEmpty() && isPlain(number)) {
        return new BigDecimal(number).multiply(BigDecimal.valueOf(scale)).longValueExact();
      }
    } catch (ArithmeticException | NumberFormatException e) {
      throw new UsageException("'" + text + "' is not a size in whole bytes below 8 EiB");
    }
    throw new UsageException("'" + text + "' is not a size");
  }

  /** Neither sign nor exponent. */
  private static boolean isPlain(String number) {
    for (int i = 0; i < number.length(); i++) {
      char c = number.charAt(i);
      if (c != '.' && (c < '0' || c > '9')) {
        return false;
      }
    }
    return true;
  }

  /** Three digits in the largest unit that leaves at least one before the point: "1.46 GiB". */
  static String describe(long bytes) {
    int i = 0;
    while (i < UNITS.length() - 1 && bytes >>> (10 * i) >= 1000) {
      i++;
    }
    if (i == 0) {
      return bytes + " B";
    }
    BigDecimal value =
        BigDecimal.valueOf(bytes)
            .divide(BigDecimal.valueOf(1L << (10 * i)), MathContext.DECIMAL64)
            .round(new MathContext(3, RoundingMode.HALF_EVEN));
    String digits = value.stripTrailingZeros().toPlainString();
    return digits + " " + UNITS.charAt(i) + "iB";
  }
}
