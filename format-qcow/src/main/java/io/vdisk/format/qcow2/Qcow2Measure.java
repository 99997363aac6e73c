package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Measurement;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.DirtyBitmaps;
import io.vdisk.format.qcow.crypt.Luks;
import io.vdisk.format.qcow.crypt.NewLuks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * How large a qcow2 file becomes, counted as {@code qemu-img measure} counts it: L2 tables for the
 * whole disk, refcounts for all of that, and every cluster of which the source holds something. One
 * thread.
 */
final class Qcow2Measure {
  /** Options of creation that do not change the size. */
  private static final Set<Qcow2Option> WITHOUT_EFFECT =
      Set.of(
          Qcow2Option.COMPRESSION_TYPE,
          Qcow2Option.DATA_FILE,
          Qcow2Option.DATA_FILE_RAW,
          Qcow2Option.LAZY_REFCOUNTS);

  private static final long DEFAULT_CLUSTER = 65_536;

  /** Bytes of an entry of the bitmap directory before its name, which is padded to eight. */
  private static final int BITMAP_ENTRY = 24;

  private final CreateOptions options;
  private final Map<String, String> left;
  private final long clusterSize;
  private final long refcountBits;
  private final long l2EntryBytes;
  private final String preallocation;
  private final long luksBytes;

  private Qcow2Measure(CreateOptions options) throws IOException {
    this.options = options;
    this.left = new LinkedHashMap<>(options.options());
    String compat = oneOf(Qcow2Option.COMPAT, "1.1", Set.of("0.10", "v2", "1.1", "v3"));
    boolean isVersion2 = compat.equals("0.10") || compat.equals("v2");
    this.clusterSize = power(Qcow2Option.CLUSTER_SIZE, DEFAULT_CLUSTER, 512, 2 << 20);
    this.refcountBits =
        power(Qcow2Option.REFCOUNT_BITS, 16, isVersion2 ? 16 : 1, isVersion2 ? 16 : 64);
    this.l2EntryBytes = isOn(Qcow2Option.EXTENDED_L2) ? 16 : 8;
    this.preallocation =
        oneOf(Qcow2Option.PREALLOCATION, "off", Set.of("off", "metadata", "falloc", "full"));
    this.luksBytes = luksBytes();
    for (String option : left.keySet()) {
      if (!WITHOUT_EFFECT.contains(Qcow2Option.named(option))) {
        throw new IllegalArgumentException("qcow2 has no option '" + option + "'");
      }
    }
  }

  static Measurement of(Optional<BlockDevice> source, CreateOptions options) throws IOException {
    return new Qcow2Measure(options).measure(source);
  }

  private Measurement measure(Optional<BlockDevice> source) throws IOException {
    long wanted =
        options
            .virtualSize()
            .orElseThrow(() -> new IllegalArgumentException("a qcow2 image needs a size"));
    if (divideUp(wanted, clusterSize * (clusterSize / l2EntryBytes)) * Long.BYTES
        > Qcow2Header.MAX_L1_BYTES) {
      throw new UnsupportedImageException(
          wanted + " bytes are too many for clusters of " + clusterSize);
    }
    long disk = roundUp(wanted, clusterSize);
    long metadata = metadata(disk) + luksBytes;
    long data;
    if (preallocation.equals("falloc") || preallocation.equals("full")) {
      data = disk;
    } else if (source.isEmpty()) {
      data = 0;
    } else if (options.backingName().isPresent()) {
      data = disk; // how much of it the backing file has is not known
    } else {
      data = data(source.get());
    }
    OptionalLong bitmaps = source.isPresent() ? bitmaps(source.get()) : OptionalLong.empty();
    return new Measurement(metadata + data, metadata + disk, bitmaps);
  }

  /** Bytes of header, L2 tables, L1 table and refcounts. */
  private long metadata(long disk) {
    long l2 = roundUp(disk / clusterSize * l2EntryBytes, clusterSize);
    long l1 = roundUp(l2 / clusterSize * Long.BYTES, clusterSize);
    long counted = clusterSize + l2 + l1;
    return counted + refcounts((counted + disk) / clusterSize) * clusterSize;
  }

  /** Clusters that count {@code clusters} others and themselves. */
  private long refcounts(long clusters) {
    long perBlock = clusterSize * Byte.SIZE / refcountBits;
    long perTable = clusterSize / Long.BYTES;
    long own = 0;
    while (true) {
      long blocks = divideUp(clusters + own, perBlock);
      long needed = blocks + divideUp(blocks, perTable);
      if (needed == own) {
        return own;
      }
      own = needed;
    }
  }

  /** Bytes of the clusters that hold something. */
  private long data(BlockDevice source) throws IOException {
    long bytes = 0;
    long counted = 0;
    try {
      for (Extent extent : source.extents(0, source.size())) {
        if (!extent.readsAsZero()) {
          long from = Math.max(counted, extent.offset() & -clusterSize);
          counted = roundUp(extent.offset() + extent.length(), clusterSize);
          bytes += Math.max(0, counted - from);
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return bytes;
  }

  /** Bytes of the source's bitmaps with tables and directory; empty if it has no such thing. */
  private OptionalLong bitmaps(BlockDevice source) throws IOException {
    Optional<DirtyBitmaps> bitmaps = source.feature(DirtyBitmaps.class);
    if (bitmaps.isEmpty()) {
      return OptionalLong.empty();
    }
    long bytes = 0;
    long directory = 0;
    for (DirtyBitmaps.Bitmap bitmap : bitmaps.get().list()) {
      if (bitmap.consistent()) {
        long bits = divideUp(source.size(), bitmap.granularity());
        long clusters = divideUp(divideUp(bits, Byte.SIZE), clusterSize);
        bytes += clusters * clusterSize + roundUp(clusters * Long.BYTES, clusterSize);
        int name = bitmap.name().getBytes(StandardCharsets.UTF_8).length;
        directory += roundUp(BITMAP_ENTRY + name, Long.BYTES);
      }
    }
    return OptionalLong.of(bytes + roundUp(directory, clusterSize));
  }

  private long luksBytes() throws IOException {
    String format = oneOf(Qcow2Option.ENCRYPTION, "", Set.of("", "aes", Luks.NAME));
    if (!format.equals(Luks.NAME)) {
      return 0;
    }
    try (NewLuks luks = NewLuks.of(left::remove, options.secrets(), "the new image")) {
      return roundUp(luks.length(), clusterSize);
    }
  }

  private boolean isOn(Qcow2Option option) {
    return !Set.of("off", "no", "false")
        .contains(oneOf(option, "off", Set.of("on", "yes", "true", "off", "no", "false")));
  }

  private String oneOf(Qcow2Option option, String otherwise, Set<String> allowed) {
    String value = left.remove(option.toString());
    if (value != null && !allowed.contains(value)) {
      throw new IllegalArgumentException(option + " is '" + value + "', which qcow2 has not");
    }
    return value == null ? otherwise : value;
  }

  private long power(Qcow2Option option, long otherwise, long least, long most) {
    String value = left.remove(option.toString());
    long number = otherwise;
    if (value != null) {
      try {
        number = Long.parseLong(value);
      } catch (NumberFormatException e) {
        number = -1;
      }
    }
    if (number < least || number > most || Long.bitCount(number) != 1) {
      throw new IllegalArgumentException(
          option + " is '" + value + "', and must be a power of two from " + least + " to " + most);
    }
    return number;
  }

  private static long divideUp(long value, long by) {
    return value / by + (value % by == 0 ? 0 : 1);
  }

  private static long roundUp(long value, long to) {
    return Math.multiplyExact(divideUp(value, to), to);
  }
}
