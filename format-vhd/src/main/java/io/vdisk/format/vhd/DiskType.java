package io.vdisk.format.vhd;

import java.util.Locale;

/** What kind of disk a footer belongs to. Source: the specification's "Disk Type". */
enum DiskType {
  FIXED(2),
  DYNAMIC(3),
  DIFFERENCING(4);

  private final int code;

  DiskType(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  /** As {@code subformat} spells it. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
