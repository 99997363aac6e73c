package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The number by which a guest knows a disk, and its names (xen-vbd-interface(7)). Immutable.
 *
 * <pre>
 *  202 &lt;&lt; 8 | disk &lt;&lt; 4 | partition         xvd, both up to 15
 *  1 &lt;&lt; 28 | disk &lt;&lt; 8 | partition          xvd, disks up to 1,048,575, partitions up to 255
 *  8 &lt;&lt; 8 | disk &lt;&lt; 4 | partition           sd, both up to 15
 *  3 &lt;&lt; 8 | disk &lt;&lt; 6 | partition           hd, disks 0 and 1, partitions up to 63
 *  22 &lt;&lt; 8 | (disk - 2) &lt;&lt; 6 | partition    hd, disks 2 and 3
 * </pre>
 *
 * @param value the number, which names the device's nodes
 */
public record DeviceNumber(int value) {
  private static final Pattern NAME =
      Pattern.compile("(?:/dev/)?(xvd|sd|hd)([a-z]{1,5})([0-9]{0,3})");
  private static final Pattern NUMBERED = Pattern.compile("d([0-9]{1,7})(?:p([0-9]{1,3}))?");
  private static final Pattern NUMBER = Pattern.compile("0x[0-9a-fA-F]{1,7}|[0-9]{1,9}");

  private static final int LETTERS = 26;
  private static final int EXTENDED = 1 << 28;
  private static final int XVD = 202 << 8;
  private static final int SD = 8 << 8;
  private static final int HD = 3 << 8;
  private static final int SECOND_HD = 22 << 8;

  /** Checks the range. */
  public DeviceNumber {
    if (value < 0) {
      throw new IllegalArgumentException("device " + value);
    }
  }

  /**
   * The device of a name such as {@code xvda}, {@code /dev/xvda1}, {@code hdc}, {@code d1p2}, or of
   * a number, decimal, hexadecimal with {@code 0x} or octal with {@code 0}.
   *
   * @throws DiskException if there is none
   */
  public static DeviceNumber parse(String name) throws DiskException {
    Matcher numbered = NUMBERED.matcher(name);
    if (numbered.matches()) {
      String partition = numbered.group(2) == null ? "0" : numbered.group(2);
      return xvd(name, Integer.parseInt(numbered.group(1)), Integer.parseInt(partition));
    }
    if (NUMBER.matcher(name).matches()) {
      return number(name);
    }
    Matcher named = NAME.matcher(name);
    if (!named.matches()) {
      throw unknown(name);
    }
    int disk = disk(named.group(2));
    int partition = named.group(3).isEmpty() ? 0 : Integer.parseInt(named.group(3));
    return switch (named.group(1)) {
      case "sd" -> sd(name, disk, partition);
      case "hd" -> hd(name, disk, partition);
      default -> xvd(name, disk, partition);
    };
  }

  private static DeviceNumber number(String name) throws DiskException {
    try {
      return new DeviceNumber(Integer.decode(name));
    } catch (NumberFormatException e) { // an octal number with an 8 in it
      throw unknown(name);
    }
  }

  /** a is 0, z is 25, aa is 26. */
  private static int disk(String letters) {
    int disk = 0;
    for (int i = 0; i < letters.length(); i++) {
      disk = disk * LETTERS + (letters.charAt(i) - 'a') + 1;
    }
    return disk - 1;
  }

  private static DeviceNumber xvd(String name, int disk, int partition) throws DiskException {
    if (disk <= 15 && partition <= 15) {
      return new DeviceNumber(XVD | disk << 4 | partition);
    }
    if (disk > 0xf_ffff || partition > 0xff) {
      throw unknown(name);
    }
    return new DeviceNumber(EXTENDED | disk << 8 | partition);
  }

  private static DeviceNumber sd(String name, int disk, int partition) throws DiskException {
    if (disk > 15 || partition > 15) {
      throw unknown(name);
    }
    return new DeviceNumber(SD | disk << 4 | partition);
  }

  private static DeviceNumber hd(String name, int disk, int partition) throws DiskException {
    if (disk > 3 || partition > 63) {
      throw unknown(name);
    }
    return new DeviceNumber(
        disk < 2 ? HD | disk << 6 | partition : SECOND_HD | (disk - 2) << 6 | partition);
  }

  private static DiskException unknown(String name) {
    return new DiskException(
        Errno.EINVAL,
        "'"
            + StoreText.shown(name)
            + "' is no device of a guest, as xvda, sda1, hdc and 51712 are");
  }

  /** Its name; the number, where it has none. */
  public String name() {
    if ((value & EXTENDED) != 0) {
      return "xvd" + letters(value >> 8 & 0xf_ffff) + partition(value & 0xff);
    }
    int minor = value & 0xff;
    return switch (value & ~0xff) {
      case XVD -> "xvd" + letters(minor >> 4) + partition(minor & 15);
      case SD -> "sd" + letters(minor >> 4) + partition(minor & 15);
      case HD -> minor >> 6 < 2 ? "hd" + letters(minor >> 6) + partition(minor & 63) : number();
      case SECOND_HD ->
          minor >> 6 < 2 ? "hd" + letters((minor >> 6) + 2) + partition(minor & 63) : number();
      default -> number();
    };
  }

  /**
   * Its name in Linux, whose front end calls all disks {@code xvd}, and knows no partitions of
   * {@code hd} (xen-blkfront.c, xen_translate_vdev).
   */
  public String linuxName() {
    int minor = value & 0xff;
    return switch (value & ~0xff) {
      case SD -> "xvd" + letters(minor >> 4) + partition(minor & 15);
      case HD -> "xvd" + letters(minor >> 6);
      case SECOND_HD -> "xvd" + letters((minor >> 6) + 2);
      default -> name();
    };
  }

  private static String letters(int disk) {
    String last = Character.toString('a' + disk % LETTERS);
    return disk < LETTERS ? last : letters(disk / LETTERS - 1) + last;
  }

  private static String partition(int partition) {
    return partition == 0 ? "" : Integer.toString(partition);
  }

  private String number() {
    return Integer.toString(value);
  }
}
