package io.vdisk.backend.tap.disk;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The size of a RAM disk, {@code 64M} or {@code 64M:name}: bytes, or with K, M, G or T that many
 * binary ones. The name tells two disks of one size apart and means nothing else. Immutable.
 *
 * @param bytes at least a sector, and whole sectors
 */
record RamSize(long bytes) {
  /** 18 digits with the largest unit are checked by exact arithmetic; more are no number. */
  private static final Pattern TEXT = Pattern.compile("([0-9]{1,18})([KMGTkmgt]?)(:.+)?");

  private static final String UNITS = "KMGT";

  /** Whether it is a size, and no path. */
  static boolean isIn(String text) {
    return Character.isDigit(text.charAt(0));
  }

  static RamSize parse(String text) throws DiskException {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw trouble(text, "is neither a size such as 64M nor a path such as /path");
    }
    long number = Long.parseLong(matcher.group(1));
    int unit =
        UNITS.indexOf(matcher.group(2).toUpperCase(java.util.Locale.ROOT).concat(" ").charAt(0));
    long most = Long.MAX_VALUE >> (10 * (unit + 1));
    if (number > most) {
      throw trouble(text, "is too large");
    }
    long bytes = number << (10 * (unit + 1));
    if (bytes == 0 || bytes % DiskInfo.SECTOR != 0) {
      throw trouble(text, "is no number of sectors of 512 bytes");
    }
    return new RamSize(bytes);
  }

  private static DiskException trouble(String text, String what) {
    return new DiskException(Errno.EINVAL, "ram:" + text + " " + what);
  }
}
