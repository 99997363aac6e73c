package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskDescriptor;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskType;
import io.vdisk.backend.tap.disk.Errno;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a toolstack says of an image, as a disk of ours is opened. Exactly the format that is said
 * is opened, and none by probing.
 *
 * <pre>
 * name := {("tap:" | "tap2:")} {("tapdisk:" | "ioemu:")} type ":" path
 * type := "raw" | "aio" | "sync" | "phy" | "file" | "qcow" | "qcow2" | "vhd" | "vhdx" | "vmdk" | "ram"
 * </pre>
 *
 * <p>{@code raw} is {@code aio}; a {@code phy:} without a slash is a device below {@code /dev}.
 */
public final class ImageName {
  private static final Pattern PREFIX = Pattern.compile("(?:tap2?:)?(?:(?:tapdisk|ioemu):)?");
  private static final Pattern RAW = Pattern.compile("raw:");
  private static final Pattern DEVICE = Pattern.compile("phy:(?!/)");

  private ImageName() {}

  /**
   * The same as {@code type:path} of a disk.
   *
   * @throws DiskException if there is no such type, or no absolute path
   */
  public static String of(String said) throws DiskException {
    String rest = withoutPrefix(said);
    rest = RAW.matcher(rest).lookingAt() ? "aio:" + rest.substring("raw:".length()) : rest;
    if (DEVICE.matcher(rest).lookingAt()) {
      rest = "phy:/dev/" + rest.substring("phy:".length());
    }
    if (rest.startsWith("x-chain:/")) {
      return rest;
    }
    DiskDescriptor image = DiskDescriptor.parse(rest);
    if (image.type() != DiskType.RAM && !image.path().startsWith("/")) {
      throw new DiskException(
          Errno.EINVAL, "'" + StoreText.shown(said) + "' names no absolute path");
    }
    return rest;
  }

  private static String withoutPrefix(String said) {
    Matcher prefix = PREFIX.matcher(said);
    return prefix.lookingAt() ? said.substring(prefix.end()) : said;
  }

  /** Whether a toolstack names a disk in memory: all its guests must come to one process. */
  static boolean isOfMemory(String said) {
    return withoutPrefix(said).startsWith("ram:");
  }
}
