package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One extent as a descriptor names it: {@code RW 4192256 SPARSE "disk-s001.vmdk"}, or with the
 * offset in the file behind the name. What stands behind that (a partition's id and its device) is
 * left alone.
 *
 * @param sectors its size, at least 1
 * @param name of its file, as it is spelled; empty for an extent of zeroes
 * @param offsetSectors where a flat extent begins in its file
 */
record ExtentLine(
    ExtentAccess access, long sectors, ExtentType type, String name, long offsetSectors) {
  private static final Pattern LINE =
      Pattern.compile(
          "\\s*+(RW|RDONLY|NOACCESS)\\s++(\\d++)\\s++(\\w++)\\s*+(?:\"([^\"]*+)\"\\s*+(\\d++)?+.*+)?+",
          Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private static final Pattern SIZE = Pattern.compile("(?<=\\s)\\d+");

  private static final Pattern BEGINNING =
      Pattern.compile(
          "\\s*+(?:RW|RDONLY|NOACCESS)\\s.*+", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  /** Whether a line of a descriptor speaks of an extent. */
  static boolean isOne(String line) {
    return BEGINNING.matcher(line).matches();
  }

  /**
   * Reads a line.
   *
   * @param where what names the file in messages
   */
  static ExtentLine parse(String line, String where) throws IOException {
    Matcher matcher = LINE.matcher(line);
    if (!matcher.matches()) {
      throw new CorruptImageException(where + ": extent '" + shortened(line) + "' has no meaning");
    }
    String word = matcher.group(3).toUpperCase(Locale.ROOT);
    ExtentType type =
        Arrays.stream(ExtentType.values())
            .filter(t -> t.name().equals(word))
            .findFirst()
            .orElseThrow(
                () ->
                    new UnsupportedImageException(
                        where + ": extents of type " + shortened(word) + " are not known"));
    long sectors = number(matcher.group(2), "size", line, where);
    String name = matcher.group(4) == null ? "" : matcher.group(4);
    long offset = matcher.group(5) == null ? 0 : number(matcher.group(5), "offset", line, where);
    if (sectors == 0) {
      throw new CorruptImageException(where + ": extent '" + shortened(line) + "' has no sectors");
    }
    if (name.isEmpty() != (type == ExtentType.ZERO)) {
      throw new CorruptImageException(
          where
              + ": extent '"
              + shortened(line)
              + "' "
              + (name.isEmpty() ? "lacks" : "has")
              + " a name");
    }
    ExtentAccess access = ExtentAccess.valueOf(matcher.group(1).toUpperCase(Locale.ROOT));
    return new ExtentLine(access, sectors, type, name, offset);
  }

  /** A line of an extent with another size; all else stays byte by byte. */
  static String resized(String line, long newSectors) {
    return SIZE.matcher(line).replaceFirst(Long.toString(newSectors));
  }

  /** A line of an extent with so many blanks behind its size; another text as it is. */
  static String widened(String line, int blanks) {
    return isOne(line) ? SIZE.matcher(line).replaceFirst("$0" + " ".repeat(blanks)) : line;
  }

  private static long number(String digits, String what, String line, String where)
      throws CorruptImageException {
    try {
      long value = Long.parseLong(digits);
      if (value <= SparseHeader.MAX_SECTORS) {
        return value;
      }
    } catch (NumberFormatException e) {
      // As one that is too large.
    }
    throw new CorruptImageException(
        where + ": the " + what + " of extent '" + shortened(line) + "' is beyond 64 TiB");
  }

  static String shortened(String text) {
    String line = text.strip();
    return line.length() > 100 ? line.substring(0, 100) + "..." : line;
  }

  /** The line, without its end. Only flat extents have an offset: QEMU refuses others. */
  String text() {
    return access
        + " "
        + sectors
        + " "
        + type
        + (type == ExtentType.ZERO ? "" : " \"" + name + "\"")
        + (type == ExtentType.FLAT ? " " + offsetSectors : "");
  }
}
