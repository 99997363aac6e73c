package io.vdisk.backend.tap.disk;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a disk as xm and xend write it. One thread.
 *
 * <pre>
 * disk  := uname "," vdev [":" ("disk" | "cdrom")] "," mode ["," domain ["," protocol]]
 * uname := "phy:" device | "file:" path | "nbd:" where
 *        | ("tap:" | "tap2:") [("tapdisk:" | "ioemu:")] driver ":" path
 * mode  := "r" | "w" | "w!"
 * </pre>
 */
final class XmDisk {
  private static final Pattern PREFIX = Pattern.compile("(phy|file|nbd|tap2?):");
  private static final Pattern SUB = Pattern.compile("(tapdisk|ioemu):(?=[a-z0-9]+:)");
  private static final Pattern DRIVER = Pattern.compile("([a-z][a-z0-9]*):");
  private static final Pattern VDEV =
      Pattern.compile("(?:ioemu:)?((?:/dev/)?[a-z]+[0-9]*(?:p[0-9]+)?|0x[0-9a-f]+|[0-9]+)");

  private static final int LEAST_FIELDS = 3;
  private static final int MOST_FIELDS = 5;

  private final String text;
  private final List<String> fields = new ArrayList<>();
  private final List<Integer> starts = new ArrayList<>();

  private XmDisk(String text) {
    this.text = text;
  }

  /** Whether it begins as xm's disks do. */
  static boolean isLikely(String text) {
    return PREFIX.matcher(text).lookingAt();
  }

  static DiskSpec parse(String text) throws DiskSyntaxException {
    XmDisk disk = new XmDisk(text);
    disk.split();
    return disk.read();
  }

  private void split() throws DiskSyntaxException {
    int start = 0;
    for (int i = 0; i <= text.length(); i++) {
      if (i == text.length() || text.charAt(i) == ',') {
        fields.add(text.substring(start, i));
        starts.add(start);
        start = i + 1;
      }
    }
    if (fields.size() < LEAST_FIELDS) {
      String missing = fields.size() == 1 ? "the guest's device and the mode" : "the mode";
      throw error(text.length(), "expected ',' and " + missing + " (r, w or w!)");
    }
    if (fields.size() > MOST_FIELDS) {
      throw error(starts.get(MOST_FIELDS), "expected the end; a disk has at most 5 fields");
    }
  }

  private DiskSpec read() throws DiskSyntaxException {
    Matcher prefix = PREFIX.matcher(fields.get(0));
    if (!prefix.lookingAt()) {
      throw error(0, "expected phy:, file:, nbd:, tap: or tap2:");
    }
    String backend = prefix.group(1);
    int at = prefix.end();
    String type = backend;
    if (backend.startsWith("tap")) {
      at += subLength(at);
      Matcher driver = DRIVER.matcher(fields.get(0)).region(at, fields.get(0).length());
      if (!driver.lookingAt()) {
        throw error(at, "expected the name of a driver and ':', as in tap:aio:/path");
      }
      type = driver.group(1);
      at = driver.end();
    }
    String target = fields.get(0).substring(at);
    if (target.isEmpty()) {
      throw error(at, "expected a path");
    }
    if (backend.equals("phy") && !target.startsWith("/")) {
      target = "/dev/" + target;
    }
    boolean isCdrom = fields.get(1).endsWith(":cdrom");
    return new DiskSpec(
        type, target, vdev(), isCdrom, access(), Optional.of(backend), furtherFields());
  }

  private int subLength(int at) {
    Matcher sub = SUB.matcher(fields.get(0)).region(at, fields.get(0).length());
    sub.useTransparentBounds(true);
    return sub.lookingAt() ? sub.end() - at : 0;
  }

  private String vdev() throws DiskSyntaxException {
    String field = fields.get(1);
    Matcher name = VDEV.matcher(field);
    if (!name.lookingAt()) {
      throw error(starts.get(1), "expected a device such as xvda, sda1 or hdc");
    }
    String kind = field.substring(name.end());
    if (!kind.isEmpty() && !kind.equals(":disk") && !kind.equals(":cdrom")) {
      throw error(starts.get(1) + name.end(), "expected ':disk', ':cdrom' or ','");
    }
    return name.group(1);
  }

  private Access access() throws DiskSyntaxException {
    return switch (fields.get(2)) {
      case "r" -> Access.READ_ONLY;
      case "w" -> Access.READ_WRITE;
      case "w!" -> Access.SHARED;
      default -> throw error(starts.get(2), "expected the mode: r, w or w!");
    };
  }

  private Map<String, String> furtherFields() throws DiskSyntaxException {
    Map<String, String> settings = new LinkedHashMap<>();
    String[] names = {"backend", "protocol"};
    for (int i = LEAST_FIELDS; i < fields.size(); i++) {
      if (fields.get(i).isEmpty()) {
        throw error(starts.get(i), "expected a " + (i == LEAST_FIELDS ? "domain" : "protocol"));
      }
      settings.put(names[i - LEAST_FIELDS], fields.get(i));
    }
    return settings;
  }

  private DiskSyntaxException error(int position, String trouble) {
    return new DiskSyntaxException(text, position, trouble);
  }
}
