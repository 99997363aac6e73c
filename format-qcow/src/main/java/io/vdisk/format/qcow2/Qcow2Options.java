package io.vdisk.format.qcow2;

import io.vdisk.format.qcow.crypt.LegacyAes;
import io.vdisk.format.qcow.crypt.Luks;
import io.vdisk.format.qcow.crypt.NewLuks;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What was chosen for an image that is to be made, by the names of {@link Qcow2Option}. Immutable
 * but for {@link #encryption}.
 */
final class Qcow2Options {
  private static final String OFF = "off";
  private static final String METADATA = "metadata";

  private final Map<String, String> left;

  final int version;
  final int clusterBits;
  final int refcountOrder;
  final boolean lazyRefcounts;
  final boolean extended;
  final int compressionType;
  final Optional<String> dataFile;
  final boolean dataFileRaw;

  /** off, metadata, falloc or full. */
  final String preallocation;

  final long cryptMethod;

  /**
   * Reads options.
   *
   * @param hasBacking whether the image has a backing file
   * @throws IllegalArgumentException if one is not what it may be, or does not go with another; who
   *     has taken those of the encryption calls {@link #refuseOthers}
   */
  Qcow2Options(Map<String, String> options, boolean hasBacking) {
    this.left = new LinkedHashMap<>(options);
    this.version = version();
    this.clusterBits = clusterBits();
    this.refcountOrder = refcountOrder(take(Qcow2Option.REFCOUNT_BITS, "16"), version);
    this.lazyRefcounts = isOn(Qcow2Option.LAZY_REFCOUNTS);
    this.extended = isOn(Qcow2Option.EXTENDED_L2);
    this.compressionType = compressionType();
    this.dataFile = Optional.ofNullable(left.remove(Qcow2Option.DATA_FILE.toString()));
    this.dataFileRaw = isOn(Qcow2Option.DATA_FILE_RAW);
    this.preallocation = preallocation(hasBacking);
    this.cryptMethod = cryptMethod();
    checkTogether(hasBacking);
  }

  private void checkTogether(boolean hasBacking) {
    if (extended && clusterBits < Qcow2Header.MIN_EXTENDED_CLUSTER_BITS) {
      throw wrong(Qcow2Option.CLUSTER_SIZE, 1 << clusterBits, "at least 16k with extended_l2=on");
    }
    if (dataFile.isPresent() && version < 3) {
      throw wrong(Qcow2Option.DATA_FILE, dataFile.get(), "left out with compat=0.10");
    }
    if (dataFileRaw && dataFile.isEmpty()) {
      throw wrong(Qcow2Option.DATA_FILE_RAW, "on", "off without data_file");
    }
    if (dataFileRaw && hasBacking) {
      throw wrong(Qcow2Option.DATA_FILE_RAW, "on", "off with a backing file");
    }
    if (cryptMethod != 0 && !preallocation.equals(OFF) && version < 3) {
      // What was never written would decipher to noise, and version 2 cannot say that it is zero.
      throw wrong(Qcow2Option.PREALLOCATION, preallocation, "off with encryption and compat=0.10");
    }
  }

  private String take(Qcow2Option option, String otherwise) {
    String value = left.remove(option.toString());
    return value == null ? otherwise : value;
  }

  /** The value of an option that something else reads; null if it was not given. */
  @Nullable String encryption(@Nullable String option) {
    return left.remove(option);
  }

  private int version() {
    return version(take(Qcow2Option.COMPAT, "1.1"));
  }

  /** The version that a word for it means. */
  static int version(String compat) {
    return switch (compat) {
      case "0.10", "v2" -> 2;
      case "1.1", "v3" -> 3;
      default -> throw wrong(Qcow2Option.COMPAT, compat, "0.10 or 1.1");
    };
  }

  private int clusterBits() {
    String text = take(Qcow2Option.CLUSTER_SIZE, "65536");
    long bytes = size(text);
    if (Long.bitCount(bytes) != 1
        || bytes < 1 << Qcow2Header.MIN_CLUSTER_BITS
        || bytes > 1 << Qcow2Header.MAX_CLUSTER_BITS) {
      throw wrong(Qcow2Option.CLUSTER_SIZE, text, "a power of two from 512 to 2M");
    }
    return Long.numberOfTrailingZeros(bytes);
  }

  /** The order of a width of counts. */
  static int refcountOrder(String text, int version) {
    long bits = size(text);
    if (Long.bitCount(bits) != 1 || bits > 64) {
      throw wrong(Qcow2Option.REFCOUNT_BITS, text, "a power of two from 1 to 64");
    }
    if (version == 2 && bits != 16) {
      throw wrong(Qcow2Option.REFCOUNT_BITS, text, "16 with compat=0.10");
    }
    return Long.numberOfTrailingZeros(bits);
  }

  private boolean isOn(Qcow2Option option) {
    String text = take(option, OFF);
    boolean on = isOn(option, text);
    if (on && version == 2) {
      throw wrong(option, text, "off with compat=0.10");
    }
    return on;
  }

  /** What a word for yes or no means. */
  static boolean isOn(Qcow2Option option, String text) {
    return switch (text) {
      case "on", "yes", "true" -> true;
      case OFF, "no", "false" -> false;
      default -> throw wrong(option, text, "on or off");
    };
  }

  private int compressionType() {
    String name = take(Qcow2Option.COMPRESSION_TYPE, ClusterCodec.NAMES.get(0));
    int type = ClusterCodec.NAMES.indexOf(name);
    if (type < 0) {
      throw wrong(Qcow2Option.COMPRESSION_TYPE, name, "zlib or zstd");
    }
    if (type > 0 && version == 2) {
      throw wrong(Qcow2Option.COMPRESSION_TYPE, name, "zlib with compat=0.10");
    }
    return type;
  }

  private String preallocation(boolean hasBacking) {
    String mode = take(Qcow2Option.PREALLOCATION, OFF);
    if (!List.of(OFF, METADATA, "falloc", "full").contains(mode)) {
      throw wrong(Qcow2Option.PREALLOCATION, mode, "off, metadata, falloc or full");
    }
    if (hasBacking && !mode.equals(OFF) && !extended) {
      throw wrong(Qcow2Option.PREALLOCATION, mode, "off with a backing file, or extended_l2 on");
    }
    // A raw file has every cluster.
    return dataFileRaw && mode.equals(OFF) ? METADATA : mode;
  }

  private long cryptMethod() {
    String format = take(Qcow2Option.ENCRYPTION, "");
    return switch (format) {
      case "" -> 0;
      case LegacyAes.NAME -> LegacyAes.METHOD;
      case Luks.NAME -> Luks.METHOD;
      default -> throw wrong(Qcow2Option.ENCRYPTION, format, "luks or aes");
    };
  }

  /** Whether guest clusters get their space at once. */
  boolean isPreallocated() {
    return !preallocation.equals(OFF);
  }

  /** Whether only tables are made for that space. */
  boolean isMetadataAlone() {
    return preallocation.equals(METADATA);
  }

  /** Refuses options that nobody has read. */
  void refuseOthers() {
    for (String option : left.keySet()) {
      throw new IllegalArgumentException(
          NewLuks.options().stream().anyMatch(known -> known.name().equals(option))
              ? option + " needs encrypt.format=luks"
              : "qcow2 has no option '" + option + "'");
    }
  }

  /** Digits, perhaps with k or M behind them. */
  private static long size(String text) {
    int digits = 0;
    while (digits < text.length() && Character.digit(text.charAt(digits), 10) >= 0) {
      digits++;
    }
    if (digits == 0 || digits > 10) {
      return 0;
    }
    long number = Long.parseLong(text.substring(0, digits));
    return switch (text.substring(digits)) {
      case "" -> number;
      case "k", "K" -> number << 10;
      case "m", "M" -> number << 20;
      default -> 0;
    };
  }

  private static IllegalArgumentException wrong(Qcow2Option option, Object value, String expected) {
    return new IllegalArgumentException(option + " is '" + value + "', and must be " + expected);
  }
}
