package io.vdisk.format.vmdk;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** What an image consists of; the words are those of {@code createType}. */
enum Subformat {
  MONOLITHIC_SPARSE("monolithicSparse", ExtentType.SPARSE, false),
  MONOLITHIC_FLAT("monolithicFlat", ExtentType.FLAT, false),
  TWO_GB_MAX_EXTENT_SPARSE("twoGbMaxExtentSparse", ExtentType.SPARSE, true),
  TWO_GB_MAX_EXTENT_FLAT("twoGbMaxExtentFlat", ExtentType.FLAT, true),
  VMFS("vmfs", ExtentType.VMFS, false),
  VMFS_SPARSE("vmfsSparse", ExtentType.VMFSSPARSE, false),

  /** Written from the beginning to the end alone. */
  STREAM_OPTIMIZED("streamOptimized", ExtentType.SPARSE, false);

  private final String word;
  private final ExtentType extents;
  private final boolean isSplit;

  Subformat(String word, ExtentType extents, boolean isSplit) {
    this.word = word;
    this.extents = extents;
    this.isSplit = isSplit;
  }

  /** As the descriptor has it, and QEMU's option {@code subformat}. */
  String word() {
    return word;
  }

  /** All words. */
  static String words() {
    return Arrays.stream(values()).map(Subformat::word).collect(Collectors.joining(", "));
  }

  ExtentType extents() {
    return extents;
  }

  /** Whether extents have 2 GB at most. */
  boolean isSplit() {
    return isSplit;
  }

  /** Whether the descriptor lies in the only extent. */
  boolean isEmbedded() {
    return this == MONOLITHIC_SPARSE;
  }

  static Optional<Subformat> of(String word) {
    return Arrays.stream(values()).filter(s -> s.word.equalsIgnoreCase(word)).findFirst();
  }

  /** How the file of an extent is called, behind the image's own name. */
  String suffix(int number) {
    return switch (this) {
      case TWO_GB_MAX_EXTENT_SPARSE -> String.format("-s%03d", number);
      case TWO_GB_MAX_EXTENT_FLAT -> String.format("-f%03d", number);
      case VMFS_SPARSE -> "-delta";
      default -> "-flat";
    };
  }
}
