package io.vdisk.tools;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a disk, {@code TYPE:PATH}, as a user says it. Who opens it is another process, with a
 * folder of its own: a relative path would be a file there, if anything.
 */
final class DiskName {
  /** Neither a size of memory, nor an address of the network, nor absolute. */
  private static final Pattern RELATIVE = Pattern.compile("(?!ram:[0-9]|nbd:)([^:]+):([^/].*)");

  private DiskName() {}

  /** The same disk, as seen from everywhere. */
  static String absolute(String said) {
    Matcher relative = RELATIVE.matcher(said);
    return relative.matches()
        ? relative.group(1) + ":" + Path.of(relative.group(2)).toAbsolutePath()
        : said;
  }
}
