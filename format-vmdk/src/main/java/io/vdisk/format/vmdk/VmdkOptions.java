package io.vdisk.format.vmdk;

import io.vdisk.CreateOptions;
import io.vdisk.UnsupportedImageException;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What was chosen for a disk that is to be made, by the names of {@link VmdkOption}. */
final class VmdkOptions {
  private static final int MIN_GRAIN = SparseHeader.MIN_GRAIN_SECTORS * SparseHeader.SECTOR;
  private static final int MAX_GRAIN = 64 << 10;

  Subformat subformat;
  String adapterType = "ide";
  String hwVersion = "4";
  String toolsVersion = "2147483647";
  boolean hasZeroedGrains;
  String preallocation = "off";
  long grainSize;
  long cid;

  VmdkOptions(CreateOptions options) {
    boolean isBacked = options.backingName().isPresent();
    subformat = Subformat.MONOLITHIC_SPARSE;
    cid = java.util.concurrent.ThreadLocalRandom.current().nextLong(1, Descriptor.NO_PARENT - 1);
    for (Map.Entry<String, String> option : options.options().entrySet()) {
      set(option.getKey(), option.getValue());
    }
    boolean isCowd = subformat == Subformat.VMFS_SPARSE;
    if (grainSize == 0) {
      grainSize = isCowd ? SparseHeader.SECTOR : MAX_GRAIN;
    }
    boolean isFlat = subformat.extents().isFlat();
    check(!isBacked || !isFlat, "a flat image has no backing file");
    check(isCowd || grainSize >= MIN_GRAIN, "grain_size is at least " + MIN_GRAIN);
    check(!hasZeroedGrains || (!isFlat && !isCowd), "zeroed_grain needs hosted sparse extents");
    check(preallocation.equals("off") || isFlat, "preallocation needs flat extents");
    boolean isStream = subformat == Subformat.STREAM_OPTIMIZED;
    check(!isStream || !isBacked, "a stream-optimized image has no backing file");
    check(!isStream || !hasZeroedGrains, "zeroed_grain is not for stream-optimized images");
  }

  private static void check(boolean right, String sentence) {
    if (!right) {
      throw new IllegalArgumentException(sentence);
    }
  }

  private void set(String name, String value) {
    switch (VmdkOption.named(name)) {
      case SUBFORMAT -> subformat = subformat(value);
      case ADAPTER_TYPE -> adapterType = adapterType(value);
      case HW_VERSION -> hwVersion = number(name, value);
      case COMPAT6 -> {
        if (isOn(name, value)) {
          hwVersion = "6";
        }
      }
      case TOOLS_VERSION -> toolsVersion = number(name, value);
      case ZEROED_GRAIN -> hasZeroedGrains = isOn(name, value);
      case PREALLOCATION -> {
        check(value.matches("off|falloc|full"), "preallocation is off, falloc or full");
        preallocation = value;
      }
      case GRAIN_SIZE -> grainSize = grainSize(value);
      case CID -> {
        check(
            value.matches("[0-9A-Fa-f]{8}") && !value.toLowerCase(Locale.ROOT).equals("ffffffff"),
            "cid is eight hexadecimal digits, and not ffffffff");
        cid = Long.parseLong(value, 16);
      }
    }
  }

  private static Subformat subformat(String value) {
    return Subformat.of(value)
        .orElseThrow(
            () -> new IllegalArgumentException("subformat is one of " + Subformat.words()));
  }

  private static String adapterType(String value) {
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "ide" -> "ide";
      case "lsilogic" -> "lsilogic";
      case "buslogic" -> "buslogic";
      case "legacyesx" -> "legacyESX";
      default ->
          throw new IllegalArgumentException(
              "adapter_type is ide, lsilogic, buslogic or legacyESX");
    };
  }

  private static String number(String option, String value) {
    check(value.matches("[0-9]{1,10}"), option + " is a number");
    return value;
  }

  private static boolean isOn(String option, String value) {
    return switch (value) {
      case "on" -> true;
      case "off" -> false;
      default -> throw new IllegalArgumentException(option + " is on or off");
    };
  }

  private static long grainSize(String value) {
    check(value.matches("[0-9]{1,9}"), "grain_size is a number of bytes");
    long bytes = Long.parseLong(value);
    check(
        Long.bitCount(bytes) == 1 && bytes >= SparseHeader.SECTOR && bytes <= MAX_GRAIN,
        "grain_size is a power of two up to " + MAX_GRAIN);
    return bytes;
  }

  /** The size that the disk gets where so many bytes were asked for: whole sectors. */
  long size(long wanted, @Nullable String file) throws UnsupportedImageException {
    check(wanted > 0, "a VMDK cannot be empty");
    long most = SparseHeader.MAX_SECTORS * SparseHeader.SECTOR;
    if (wanted > most) {
      throw new UnsupportedImageException(
          (file == null ? "" : file + ": ")
              + "a VMDK has at most "
              + most
              + " bytes, not "
              + wanted);
    }
    long size = (wanted + SparseHeader.SECTOR - 1) & -SparseHeader.SECTOR;
    boolean isCowd = subformat == Subformat.VMFS_SPARSE;
    if (isCowd && size / SparseHeader.SECTOR > 0xffff_ffffL) {
      throw new UnsupportedImageException(
          (file == null ? "" : file + ": ") + "a vmfsSparse image has less than 2 TiB");
    }
    return size;
  }

  /** Heads of the geometry; ATA's for IDE. */
  int heads() {
    return adapterType.equals("ide") ? 16 : 255;
  }

  /** Cylinders of the geometry; ATA has names for 16383. */
  long cylinders(long size) {
    long all = size / (heads() * 63L * SparseHeader.SECTOR);
    return adapterType.equals("ide") ? Math.min(all, 16_383) : all;
  }
}
