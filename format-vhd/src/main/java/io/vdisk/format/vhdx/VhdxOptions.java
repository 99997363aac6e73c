package io.vdisk.format.vhdx;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** What was chosen for a disk that is to be made, by the names of {@link VhdxOption}. */
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
    String subformat = oneOf(VhdxOption.SUBFORMAT, "dynamic", Set.of("dynamic", "fixed"));
    if (isChild && subformat.equals("fixed")) {
      throw new IllegalArgumentException("subformat=fixed is not possible above a parent");
    }
    return subformat.equals("fixed");
  }

  int blockSize(long virtualSize) {
    long bytes = number(VhdxOption.BLOCK_SIZE, 0);
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
    long bytes = number(VhdxOption.LOG_SIZE, DEFAULT_LOG);
    if (bytes < DEFAULT_LOG || bytes > MAX_LOG || bytes % DEFAULT_LOG != 0) {
      throw new IllegalArgumentException(
          "log_size is a multiple of 1 MiB up to " + MAX_LOG + ", not " + bytes);
    }
    return bytes;
  }

  boolean isStateZero() {
    boolean isOn =
        oneOf(VhdxOption.BLOCK_STATE_ZERO, isChild ? "off" : "on", Set.of("on", "off"))
            .equals("on");
    if (isOn && isChild) {
      throw new IllegalArgumentException("block_state_zero=on would hide the parent");
    }
    return isOn;
  }

  String preallocation(boolean isFixed) {
    String mode = oneOf(VhdxOption.PREALLOCATION, "off", Set.of("off", "falloc", "full"));
    if (!isFixed && !mode.equals("off")) {
      throw new IllegalArgumentException("preallocation=" + mode + " needs subformat=fixed");
    }
    return mode;
  }

  int sectorSize(VhdxOption option, int usual) {
    return Integer.parseInt(oneOf(option, Integer.toString(usual), Set.of("512", "4096")));
  }

  /** Refuses what nobody took. */
  void end() {
    for (String option : left.keySet()) {
      throw new IllegalArgumentException("vhdx has no option '" + option + "'");
    }
  }

  private String oneOf(VhdxOption option, String usual, Set<String> allowed) {
    String value = left.remove(option.toString());
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

  private long number(VhdxOption option, long usual) {
    String value = left.remove(option.toString());
    try {
      return value == null ? usual : Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(option + " is a number of bytes, not " + value, e);
    }
  }
}
