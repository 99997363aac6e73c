package io.vdisk.backend.tap.disk;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads a disk as xl writes it (Xen 4.20, xl-disk-configuration): fields that are {@code
 * key=value}, a flag, or by their place target, format, device and access; {@code target=} takes
 * the rest of the text, commas included, but for one at the end. The prefixes of older releases
 * ({@code qcow:}, {@code tap:} ...) are read too; with one of them the format has no place of its
 * own. One thread.
 */
final class XlDisk {
  private static final Pattern BLANKS = Pattern.compile("[ \\t\\n]+");
  private static final Pattern TARGET = Pattern.compile("target=(.*?),?\\z", Pattern.DOTALL);
  private static final Pattern KEY = Pattern.compile("([a-z][-_a-z0-9]*)=([^,]*)(?:,|$)");
  private static final Pattern PREFIX =
      Pattern.compile("(raw|qcow2?|vhd|iscsi|e?nbd|drbd|tapdisk|tap2?|aio|ioemu|file|phy):");
  private static final Pattern UNKNOWN_PREFIX = Pattern.compile("([a-z][a-z0-9]*):(?=[^a-z0-9]|$)");
  private static final Pattern PLACED = Pattern.compile("([^=,]*)(?:,|$)");

  private static final List<String> FLAGS =
      List.of("direct-io-safe", "discard", "no-discard", "colo", "no-colo", "trusted", "untrusted");
  private static final List<String> NAMED =
      List.of(
          "backend",
          "script",
          "specification",
          "grant_usage",
          "colo-host",
          "colo-port",
          "colo-export",
          "active-disk",
          "hidden-disk");
  private static final List<String> FORMATS =
      List.of("raw", "qcow", "qcow2", "vhd", "qed", "empty");
  private static final List<String> SPECIFICATIONS = List.of("xen", "virtio");
  private static final List<String> GRANT_USAGES = List.of("0", "1");
  private static final List<String> BACKENDS = List.of("phy", "tap", "qdisk", "standalone");

  private final String text;
  private int at;

  private @Nullable String target;
  private @Nullable String format;
  private @Nullable String vdev;
  private @Nullable String backendType;
  private @Nullable Access access;
  private boolean accessHasItsPlace;
  private boolean isCdrom;
  private boolean hasPrefix;
  private final Map<String, String> settings = new LinkedHashMap<>();

  private XlDisk(String text) {
    this.text = text;
  }

  static DiskSpec parse(String text) throws DiskSyntaxException {
    XlDisk disk = new XlDisk(text);
    while (disk.at < text.length()) {
      disk.field();
    }
    return disk.result();
  }

  private void field() throws DiskSyntaxException {
    Matcher found;
    if ((found = next(BLANKS)) != null) {
      at = found.end();
    } else if ((found = next(TARGET)) != null) {
      target = once("target", target, found.group(1));
      at = found.end();
    } else if ((found = next(KEY)) != null) {
      named(found.group(1), found.group(2));
      at = found.end();
    } else if ((found = next(PREFIX)) != null) {
      prefix(found.group(1));
      at = found.end();
    } else if ((found = next(UNKNOWN_PREFIX)) != null) {
      throw error("expected a path; there is no prefix '" + found.group(1) + ":'");
    } else if ((found = next(PLACED)) != null && found.end() > at) {
      flagOrPlaced(found.group(1));
      at = found.end();
    } else {
      throw error("expected a path, key=value or ','");
    }
  }

  private @Nullable Matcher next(Pattern pattern) {
    Matcher matcher = pattern.matcher(text).region(at, text.length());
    return matcher.lookingAt() ? matcher : null;
  }

  private void named(String key, String value) throws DiskSyntaxException {
    switch (key) {
      case "format" -> format = once(key, format, format(value));
      case "vdev" -> vdev = once(key, vdev, value);
      case "access" -> access = access(value);
      case "devtype" -> isCdrom = isCdrom(value, "devtype");
      case "backendtype" -> backendType = once(key, backendType, oneOf(BACKENDS, value, key));
      default -> {
        if (!NAMED.contains(key)) {
          throw error("expected a key that xl knows, not '" + key + "'");
        }
        String known =
            switch (key) {
              case "specification" -> oneOf(SPECIFICATIONS, value, key);
              case "grant_usage" -> oneOf(GRANT_USAGES, value, key);
              default -> value;
            };
        String unused = once(key, settings.put(key, known), known);
      }
    }
  }

  private void prefix(String prefix) throws DiskSyntaxException {
    hasPrefix = true;
    switch (prefix) {
      case "raw", "qcow", "qcow2", "vhd" -> format = once("format", format, prefix);
      case "iscsi", "nbd", "enbd", "drbd" -> {
        String script = "block-" + prefix;
        String unused = once("script", settings.put("script", script), script);
      }
      default -> {} // says nothing any more
    }
  }

  private void flagOrPlaced(String field) throws DiskSyntaxException {
    if (field.equals("cdrom")) {
      isCdrom = true;
    } else if (FLAGS.contains(field)) {
      settings.put(field, "");
    } else if (target == null) {
      target = field;
    } else if (!hasPrefix && format == null) {
      placedFormat(field);
    } else if (vdev == null) {
      if (!field.isEmpty()) {
        placedVdev(field);
      }
    } else if (!accessHasItsPlace) {
      accessHasItsPlace = true;
      access = access(field);
    } else {
      throw error("expected key=value; target, format, device and access are there already");
    }
  }

  /** An empty drive has no format: there the device comes at once, and says that it is a CD's. */
  private void placedFormat(String field) throws DiskSyntaxException {
    if ("".equals(target) && field.lastIndexOf(':') >= 0) {
      placedVdev(field);
      format = "empty";
    } else {
      format = format(field);
    }
  }

  private void placedVdev(String field) throws DiskSyntaxException {
    int colon = field.lastIndexOf(':');
    if (colon >= 0) {
      isCdrom = isCdrom(field.substring(colon + 1), "the device's kind");
    }
    vdev = once("vdev", vdev, colon < 0 ? field : field.substring(0, colon));
  }

  private DiskSpec result() throws DiskSyntaxException {
    if (vdev == null || vdev.isEmpty()) {
      throw error("expected vdev=, the device that the guest sees");
    }
    String path = target == null ? "" : target;
    if (path.isEmpty() && !isCdrom) {
      throw error("expected target=; only a CD drive may be empty");
    }
    Access allowed = isCdrom ? Access.READ_ONLY : access == null ? Access.READ_WRITE : access;
    return new DiskSpec(
        type(), path, vdev, isCdrom, allowed, Optional.ofNullable(backendType), settings);
  }

  private String type() {
    if (format == null || format.equals("raw") || format.equals("empty")) {
      return "phy".equals(backendType) ? "phy" : "aio";
    }
    return format;
  }

  private String format(String value) throws DiskSyntaxException {
    return value.isEmpty() ? "raw" : oneOf(FORMATS, value, "format");
  }

  private Access access(String value) throws DiskSyntaxException {
    return switch (value) {
      case "r", "ro" -> Access.READ_ONLY;
      case "w", "rw", "" -> Access.READ_WRITE;
      default -> throw error("expected access r, ro, w or rw, not '" + value + "'");
    };
  }

  private boolean isCdrom(String value, String what) throws DiskSyntaxException {
    return oneOf(List.of("disk", "cdrom"), value, what).equals("cdrom");
  }

  private String oneOf(List<String> known, String value, String what) throws DiskSyntaxException {
    if (!known.contains(value)) {
      throw error(
          "expected " + what + " to be " + String.join(", ", known) + ", not '" + value + "'");
    }
    return value;
  }

  /** Said twice is an error, unless the first time said nothing or both say the same. */
  private String once(String what, @Nullable String before, String value)
      throws DiskSyntaxException {
    if (before != null && !before.isEmpty() && !before.equals(value)) {
      throw error(what + " is said twice");
    }
    return value;
  }

  private DiskSyntaxException error(String trouble) {
    return new DiskSyntaxException(text, at, trouble);
  }
}
