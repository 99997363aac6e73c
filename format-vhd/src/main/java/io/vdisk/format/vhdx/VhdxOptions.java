package io.vdisk.format.vhdx;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The options of creation, spelled as QEMU spells them:
 *
 * <ul>
 *   <li>{@code subformat}: {@code dynamic} (default) or {@code fixed}; neither above a parent
 *   <li>{@code block_size}: a power of two from 1 MiB to 256 MiB; 0 (default): 8 to 64 MiB by the
 *       size of the disk, as in QEMU; above a parent 2 MiB, as in Windows
 *   <li>{@code log_size}: a multiple of 1 MiB; 1 MiB (default)
 *   <li>{@code block_state_zero}: {@code on} (default) says of every block of a dynamic disk that
 *       it is zero, because what is "not present" may read as anything; {@code off} says nothing; a
 *       fixed disk has all blocks
 *   <li>{@code preallocation}: {@code off} (default), {@code falloc} or {@code full} space of a
 *       fixed disk on the host
 * </ul>
 *
 * <p>And two that QEMU does not have: {@code logical_sector_size} and {@code physical_sector_size},
 * 512 or 4096.
 */
final class VhdxOptions {
  /** A log of the least size, which is Windows' and QEMU's. */
  private static final long DEFAULT_LOG = 1 << 20;

  /** Most bytes of a log that can be replayed: see {@link LogScan}. */
  private static final long MAX_LOG = LogScan.MAX_LOG;

  private static final long GIB = 1L << 30;
  private static final int CHILDS_BLOCK = 2 << 20;

  private final Map<String, String> left;
  private final boolean isChild;

  VhdxOptions(Map<String, String> options, boolean isChild) {
    this.left = new LinkedHashMap<>(options);
    this.isChild = isChild;
  }

  boolean isFixed() {
    String subformat = oneOf("subformat", "dynamic", Set.of("dynamic", "fixed"));
    if (isChild && subformat.equals("fixed")) {
      throw new IllegalArgumentException("subformat=fixed is not possible above a parent");
    }
    return subformat.equals("fixed");
  }

  int blockSize(long virtualSize) {
    long bytes = number("block_size", 0);
    if (bytes == 0) {
      return isChild ? CHILDS_BLOCK : usualBlockSize(virtualSize);
    }
    if (bytes < DiskParameters.MIN_BLOCK
        || bytes > DiskParameters.MAX_BLOCK
        || Long.bitCount(bytes) != 1) {
      throw new IllegalArgumentException(
          "block_size is a power of two from 1 MiB to 256 MiB, not " + bytes);
    }
    return (int) bytes;
  }

  private static int usualBlockSize(long virtualSize) {
    if (virtualSize > 32 * 1024 * GIB) {
      return 64 << 20;
    }
    if (virtualSize > 100 * GIB) {
      return 32 << 20;
    }
    return virtualSize > GIB ? 16 << 20 : 8 << 20;
  }

  long logSize() {
    long bytes = number("log_size", DEFAULT_LOG);
    if (bytes < DEFAULT_LOG || bytes > MAX_LOG || bytes % DEFAULT_LOG != 0) {
      throw new IllegalArgumentException(
          "log_size is a multiple of 1 MiB up to " + MAX_LOG + ", not " + bytes);
    }
    return bytes;
  }

  boolean isStateZero() {
    boolean isOn =
        oneOf("block_state_zero", isChild ? "off" : "on", Set.of("on", "off")).equals("on");
    if (isOn && isChild) {
      throw new IllegalArgumentException("block_state_zero=on would hide the parent");
    }
    return isOn;
  }

  String preallocation(boolean isFixed) {
    String mode = oneOf("preallocation", "off", Set.of("off", "falloc", "full"));
    if (!isFixed && !mode.equals("off")) {
      throw new IllegalArgumentException("preallocation=" + mode + " needs subformat=fixed");
    }
    return mode;
  }

  int sectorSize(String option, int usual) {
    return Integer.parseInt(oneOf(option, Integer.toString(usual), Set.of("512", "4096")));
  }

  /** Refuses what nobody took. */
  void end() {
    for (String option : left.keySet()) {
      throw new IllegalArgumentException("vhdx has no option '" + option + "'");
    }
  }

  private String oneOf(String option, String usual, Set<String> allowed) {
    String value = left.remove(option);
    if (value == null) {
      return usual;
    }
    if (!allowed.contains(value)) {
      throw new IllegalArgumentException(
          option
              + " is one of "
              + String.join(", ", allowed.stream().sorted().toList())
              + ", not "
              + value);
    }
    return value;
  }

  private long number(String option, long usual) {
    String value = left.remove(option);
    try {
      return value == null ? usual : Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(option + " is a number of bytes, not " + value, e);
    }
  }
}
