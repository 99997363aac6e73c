package io.vdisk.format.vhdx;

import io.vdisk.FormatOption;
import io.vdisk.FormatOption.Value;
import io.vdisk.spi.DeclaredOption;
import java.util.List;

/** The options of creation, QEMU's but for the sizes of sectors. */
enum VhdxOption implements DeclaredOption {
  SUBFORMAT("subformat", Value.TEXT, "dynamic (default) or fixed; neither above a parent"),
  BLOCK_SIZE(
      "block_size",
      Value.SIZE,
      "a power of two from 1M to 256M; 0 (default): 8M to 64M by the size of the disk, above a parent 2M"),
  LOG_SIZE("log_size", Value.SIZE, "a multiple of 1M (1M)"),
  BLOCK_STATE_ZERO(
      "block_state_zero",
      Value.SWITCH,
      "on (default): each block of a dynamic disk is said to be zero, as those not present may read as anything"),
  PREALLOCATION(
      "preallocation",
      Value.TEXT,
      "space of a fixed disk on the host: off (default), falloc or full"),
  LOGICAL_SECTOR_SIZE("logical_sector_size", Value.NUMBER, "512 (default) or 4096"),
  PHYSICAL_SECTOR_SIZE("physical_sector_size", Value.NUMBER, "512 or 4096 (default)");

  private final FormatOption declared;

  VhdxOption(String name, Value value, String purpose) {
    this.declared = new FormatOption(name, value, purpose);
  }

  /** All of them, and those that {@link io.vdisk.CreateOptions} has methods for. */
  static List<FormatOption> creation() {
    return DeclaredOption.behind(FormatOption.COMMON, List.of(values()));
  }

  @Override
  public FormatOption declared() {
    return declared;
  }

  /** The name. */
  @Override
  public String toString() {
    return declared.name();
  }
}
