package io.vdisk.format.vhd;

import io.vdisk.FormatOption;
import io.vdisk.FormatOption.Value;
import io.vdisk.spi.DeclaredOption;
import java.util.List;

/** The options of creation, QEMU's where that has them. */
enum VhdOption implements DeclaredOption {
  SUBFORMAT(
      "subformat",
      Value.TEXT,
      "dynamic (default), fixed, or differencing, which a disk with a backing file is"),
  FORCE_SIZE(
      "force_size",
      Value.SWITCH,
      "on (default): the disk has the size that was said, and readers are told to take that; off: rounded up to a geometry, for old ones"),
  BLOCK_SIZE("block_size", Value.SIZE, "a power of two from 512 to 256M (2M)"),
  AZURE(
      "azure",
      Value.SWITCH,
      "for Azure, which wants a fixed disk of whole MiB: the size is rounded up to that"),
  XEN("xen", Value.SWITCH, "as Xen's tools write it, with a batmap; blocks of 2M alone"),
  METADATA_SIZE(
      "metadata_size", Value.SIZE, "a size to which the disk may grow without moving blocks"),
  ENCRYPTION("encrypt.format", Value.TEXT, "aes-xts-plain, with xen=on"),
  UNIQUE_ID("unique_id", Value.TEXT, "a UUID, for images that can be made again byte by byte"),
  TIME_STAMP("time_stamp", Value.TEXT, "an instant as 2026-01-31T12:00:00Z, likewise");

  private final FormatOption declared;

  VhdOption(String name, Value value, String purpose) {
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
  static VhdOption named(String name) {
    return DeclaredOption.named(name, values(), "vhd");
  }

  @Override
  public FormatOption declared() {
    return declared;
  }
}
