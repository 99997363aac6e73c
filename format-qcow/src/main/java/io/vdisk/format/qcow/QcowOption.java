package io.vdisk.format.qcow;

import io.vdisk.FormatOption;
import io.vdisk.FormatOption.Value;
import io.vdisk.spi.DeclaredOption;
import java.util.List;

/** The options of creation. */
enum QcowOption implements DeclaredOption {
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

  private final FormatOption declared;

  QcowOption(String name, Value value, String purpose) {
    this.declared = new FormatOption(name, value, purpose);
  }

  /** All of them, and those that {@link io.vdisk.CreateOptions} has methods for. */
  static List<FormatOption> creation() {
    return DeclaredOption.behind(FormatOption.COMMON_WITH_KEY, List.of(values()));
  }

  /**
   * The option of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  static QcowOption named(String name) {
    return DeclaredOption.named(name, values(), "qcow");
  }

  @Override
  public FormatOption declared() {
    return declared;
  }
}
