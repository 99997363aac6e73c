package io.vdisk.format.qcow2;

import io.vdisk.FormatOption;
import io.vdisk.FormatOption.Value;
import io.vdisk.format.qcow.crypt.NewLuks;
import io.vdisk.spi.DeclaredOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** The options of creation but for those of LUKS. */
enum Qcow2Option implements DeclaredOption {
  COMPAT(
      "compat", Value.TEXT, "the version of the format: 0.10 (also v2) or 1.1 (default; also v3)"),
  CLUSTER_SIZE("cluster_size", Value.SIZE, "a power of two from 512 to 2M (64k)"),
  REFCOUNT_BITS(
      "refcount_bits", Value.NUMBER, "bits of a reference count, a power of two from 1 to 64 (16)"),
  LAZY_REFCOUNTS(
      "lazy_refcounts",
      Value.SWITCH,
      "on: reference counts may be written late, and are mended after a crash"),
  EXTENDED_L2("extended_l2", Value.SWITCH, "on: L2 entries of 32 subclusters each"),
  COMPRESSION_TYPE(
      "compression_type", Value.TEXT, "how clusters are compressed: zlib (default) or zstd"),
  DATA_FILE("data_file", Value.TEXT, "the name of another file, which holds the guest's data"),
  DATA_FILE_RAW(
      "data_file_raw", Value.SWITCH, "on: the data file can always be read as a raw disk"),
  PREALLOCATION(
      "preallocation",
      Value.TEXT,
      "off (default), metadata, falloc (space set aside) or full (zeroes written)"),
  ENCRYPTION("encrypt.format", Value.TEXT, "luks or aes");

  /** What of an image can be changed afterwards. */
  static final Set<Qcow2Option> CHANGEABLE =
      Collections.unmodifiableSet(
          EnumSet.of(COMPAT, LAZY_REFCOUNTS, REFCOUNT_BITS, DATA_FILE, DATA_FILE_RAW));

  private final FormatOption declared;

  Qcow2Option(String name, Value value, String purpose) {
    this.declared = new FormatOption(name, value, purpose);
  }

  /** All of them, and those that {@link io.vdisk.CreateOptions} has methods for. */
  static List<FormatOption> creation() {
    List<FormatOption> others = new ArrayList<>(FormatOption.COMMON_WITH_KEY);
    others.addAll(NewLuks.options());
    return DeclaredOption.behind(others, List.of(values()));
  }

  /** What can be changed, and what features can. */
  static List<FormatOption> amendable() {
    List<FormatOption> others = new ArrayList<>(FormatOption.COMMON);
    others.addAll(FormatOption.KEY_SLOTS);
    return DeclaredOption.behind(others, CHANGEABLE);
  }

  /**
   * The option of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Qcow2Option named(String name) {
    return DeclaredOption.named(name, values(), "qcow2");
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
