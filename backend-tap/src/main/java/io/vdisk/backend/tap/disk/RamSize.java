package io.vdisk.backend.tap.disk;

import io.vdisk.backend.tap.DiskInfo;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The size of a RAM disk, {@code 64M} or {@code 64M:name}: bytes, or with K, M, G or T that many
 * binary ones. The name tells two disks of one size apart and means nothing else. Immutable.
 *
 * @param bytes at least a sector, and whole sectors
 */
record RamSize(long bytes) {
  /** No more digits than a long has. */
  private static final Pattern TEXT = Pattern.compile("([0-9]{1,18})([KMGTkmgt]?)(:.+)?");

  /** Each is 1024 times the one before; the first is none. */
  private static final List<String> UNITS = List.of("", "K", "M", "G", "T");

  private static final int UNIT_BITS = 10;

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
    int shift = UNITS.indexOf(matcher.group(2).toUpperCase(Locale.ROOT)) * UNIT_BITS;
    if (number > Long.MAX_VALUE >> shift) {
      throw trouble(text, "is too large");
    }
    long bytes = number << shift;
    if (bytes == 0 || bytes % DiskInfo.SECTOR != 0) {
      throw trouble(text, "is no number of sectors of 512 bytes");
    }
    return new RamSize(bytes);
  }

  private static DiskException trouble(String text, String what) {
    return new DiskException(Errno.EINVAL, "ram:" + text + " " + what);
  }
}
