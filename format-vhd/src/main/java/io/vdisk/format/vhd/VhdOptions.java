package io.vdisk.format.vhd;

import io.vdisk.CreateOptions;
import io.vdisk.UnsupportedImageException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What was chosen for a disk that is to be made, by the names of {@link VhdOption}. */
final class VhdOptions {
  private static final long DEFAULT_BLOCK_SIZE = 2L << 20;
  private static final long MIB = 1L << 20;

  /** The most that the format's makers, QEMU and Azure allow: 2040 GiB. */
  static final long MAX_SIZE = 2040L << 30;

  private static final String CIPHER = "aes-xts-plain";

  DiskType type;
  boolean isExact = true;
  long blockSize = DEFAULT_BLOCK_SIZE;
  boolean isForAzure;
  boolean isXen;
  long metadataSize;
  boolean isEncrypted;
  UUID id = UUID.randomUUID();
  long timeStamp = Instant.now().getEpochSecond() - HardDiskFooter.EPOCH;

  VhdOptions(CreateOptions options) {
    type = options.backingName().isPresent() ? DiskType.DIFFERENCING : DiskType.DYNAMIC;
    Map<String, String> said = options.options();
    said.forEach(this::set);
    boolean isBacked = options.backingName().isPresent();
    check(
        isBacked == (type == DiskType.DIFFERENCING),
        "a differencing disk has a backing file, and no other has");
    check(!isForAzure || type == DiskType.FIXED, "azure=on needs subformat=fixed");
    check(!isXen || blockSize == DEFAULT_BLOCK_SIZE, "xen=on needs a block_size of 2097152");
    check(!isXen || isExact, "xen=on needs force_size=on");
    check(!isEncrypted || isXen, "encrypt.format needs xen=on");
    check(!isEncrypted || type != DiskType.FIXED, "a fixed disk is not encrypted");
    check(metadataSize == 0 || type != DiskType.FIXED, "a fixed disk has no metadata to reserve");
  }

  private static void check(boolean right, String sentence) {
    if (!right) {
      throw new IllegalArgumentException(sentence);
    }
  }

  private void set(String name, String value) {
    switch (VhdOption.named(name)) {
      case SUBFORMAT -> type = type(value);
      case FORCE_SIZE -> isExact = isOn(name, value);
      case BLOCK_SIZE -> blockSize = blockSize(value);
      case AZURE -> isForAzure = isOn(name, value);
      case XEN -> isXen = isOn(name, value);
      case METADATA_SIZE -> metadataSize = bytes(name, value);
      case ENCRYPTION -> {
        check(value.equals(CIPHER), "encrypt.format of vhd is " + CIPHER);
        isEncrypted = true;
      }
      case UNIQUE_ID -> id = id(value);
      case TIME_STAMP -> timeStamp = timeStamp(value);
    }
  }

  private static DiskType type(String value) {
    for (DiskType type : DiskType.values()) {
      if (type.word().equals(value.toLowerCase(Locale.ROOT))) {
        return type;
      }
    }
    throw new IllegalArgumentException("subformat is fixed, dynamic or differencing");
  }

  private static boolean isOn(String option, String value) {
    return switch (value) {
      case "on" -> true;
      case "off" -> false;
      default -> throw new IllegalArgumentException(option + " is on or off");
    };
  }

  private static long bytes(String option, String value) {
    try {
      long bytes = Long.parseLong(value);
      check(bytes >= 0, option + " is a number of bytes");
      return bytes;
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(option + " is a number of bytes", e);
    }
  }

  private static long blockSize(String value) {
    long bytes = bytes("block_size", value);
    check(
        Long.bitCount(bytes) == 1
            && bytes >= Structures.SECTOR
            && bytes <= 1L << Structures.MAX_BLOCK_BITS,
        "block_size is a power of two from 512 to " + (1L << Structures.MAX_BLOCK_BITS));
    return bytes;
  }

  private static UUID id(String value) {
    try {
      return UUID.fromString(value);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("unique_id is a UUID", e);
    }
  }

  private static long timeStamp(String value) {
    try {
      long seconds = Instant.parse(value).getEpochSecond() - HardDiskFooter.EPOCH;
      check(seconds >>> 32 == 0, "time_stamp lies from 2000 to 2136");
      return seconds;
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("time_stamp is an instant as 2026-01-31T12:00:00Z", e);
    }
  }

  /** The size that the disk gets where so many bytes were asked for. */
  long size(long wanted, @Nullable String file) throws UnsupportedImageException {
    check(wanted > 0, "a VHD cannot be empty");
    long size = Structures.roundUp(wanted, isForAzure ? (int) MIB : Structures.SECTOR);
    long sectors = size / Structures.SECTOR;
    if (!isExact && sectors <= ChsGeometry.MAX_TOTAL) {
      size = ChsGeometry.holding(sectors).sectors() * Structures.SECTOR;
    }
    checkSize(size, file);
    check(metadataSize == 0 || metadataSize >= size, "metadata_size is at least that of the disk");
    check(metadataSize <= MAX_SIZE, "metadata_size is at most 2040 GiB");
    return size;
  }

  /** Refuses what other programs do not open. */
  static void checkSize(long size, @Nullable String file) throws UnsupportedImageException {
    if (size > MAX_SIZE || size < 0) {
      throw new UnsupportedImageException(
          (file == null ? "" : file + ": ")
              + "a VHD has at most 2040 GiB, not "
              + size
              + " bytes; the format vhdx has more");
    }
  }

  /** Entries of the block allocation table. */
  long entries(long size) {
    long mapped = Math.max(size, metadataSize);
    return (mapped + blockSize - 1) / blockSize;
  }

  Creator creator() {
    if (isXen) {
      return Creator.TAP;
    }
    return isExact ? Creator.QEMU_EXACT : Creator.QEMU;
  }

  /** The footer of the new disk. */
  HardDiskFooter footer(long size) {
    ChsGeometry geometry = ChsGeometry.of(size / Structures.SECTOR);
    return HardDiskFooter.create(type, creator(), size, geometry, id, timeStamp);
  }
}
