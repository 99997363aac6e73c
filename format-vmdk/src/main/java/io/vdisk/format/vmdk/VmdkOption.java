package io.vdisk.format.vmdk;

import io.vdisk.FormatOption;
import io.vdisk.FormatOption.Value;
import io.vdisk.spi.DeclaredOption;
import java.util.List;

/** The options of creation, QEMU's where that has them. */
enum VmdkOption implements DeclaredOption {
  SUBFORMAT("subformat", Value.TEXT, "monolithicSparse (default); one of " + Subformat.words()),
  ADAPTER_TYPE("adapter_type", Value.TEXT, "ide (default), lsilogic, buslogic or legacyESX"),
  HW_VERSION("hwversion", Value.NUMBER, "the version of VMware's hardware (4)"),
  COMPAT6("compat6", Value.SWITCH, "on: hwversion=6"),
  TOOLS_VERSION(
      "toolsversion",
      Value.NUMBER,
      "the version of VMware's tools in the guest (2147483647: unknown)"),
  ZEROED_GRAIN(
      "zeroed_grain", Value.SWITCH, "on: grains of zeroes take no space, above a parent too"),
  PREALLOCATION(
      "preallocation",
      Value.TEXT,
      "space of flat extents on the host: off (default), falloc or full"),
  GRAIN_SIZE(
      "grain_size",
      Value.SIZE,
      "a power of two from 4k to 64k (default); of vmfsSparse from 512 (default)"),
  CID(
      "cid",
      Value.TEXT,
      "eight hexadecimal digits, for images that can be made again byte by byte");

  private final FormatOption declared;

  VmdkOption(String name, Value value, String purpose) {
    this.declared = new FormatOption(name, value, purpose);
  }

  /** All of them, and those that {@link io.vdisk.CreateOptions} has methods for. */
  static List<FormatOption> creation() {
    return DeclaredOption.behind(FormatOption.COMMON, List.of(values()));
  }

  /**
   * The option of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  static VmdkOption named(String name) {
    return DeclaredOption.named(name, values(), "vmdk");
  }

  @Override
  public FormatOption declared() {
    return declared;
  }
}
