package io.vdisk.format.qcow;

import io.vdisk.FormatOption;
import io.vdisk.FormatOption.Value;
import java.util.ArrayList;
import java.util.List;

/** The options of creation. */
enum QcowOption {
  CLUSTER_SIZE(
      "cluster_size",
      Value.SIZE,
      "a power of two from 512 to 64k (4k, or 512 above a backing file, as QEMU and Xen have it)"),
  XEN(
      "xen",
      Value.SWITCH,
      "on: Xen's extended header, for its drivers to allocate a whole L2 table's clusters at a time"),
  PREALLOCATION(
      "preallocation",
      Value.TEXT,
      "off (default); full, with xen=on: the space of all clusters behind the L1 table"),
  ENCRYPTION("encrypt.format", Value.TEXT, "aes; not with xen=on");

  private final String word;
  private final Value value;
  private final String purpose;

  QcowOption(String word, Value value, String purpose) {
    this.word = word;
    this.value = value;
    this.purpose = purpose;
  }

  /** All of them, and those that {@link io.vdisk.CreateOptions} has methods for. */
  static List<FormatOption> creation() {
    List<FormatOption> all = new ArrayList<>(FormatOption.BACKING);
    all.add(FormatOption.SIZE);
    all.add(FormatOption.KEY_SECRET);
    for (QcowOption option : values()) {
      all.add(option.declared());
    }
    return List.copyOf(all);
  }

  /**
   * The option of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  static QcowOption named(String name) {
    for (QcowOption option : values()) {
      if (option.word.equals(name)) {
        return option;
      }
    }
    throw new IllegalArgumentException("qcow has no option '" + name + "'");
  }

  private FormatOption declared() {
    return new FormatOption(word, value, purpose);
  }
}
