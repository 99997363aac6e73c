package io.vdisk;

import java.util.List;

/**
 * An option that a format declares: of creation, or one that can be changed afterwards. Formats
 * know no others, so that a program can show what there is, and need not keep a list of its own.
 *
 * @param name what it is called, as {@code qemu-img create -o} calls it where it has it:
 *     "cluster_size"
 * @param value what it takes
 * @param purpose for people, in one line: what it chooses, and what is chosen without it
 */
public record FormatOption(String name, Value value, String purpose) {
  /** The size of the disk: {@link CreateOptions#withVirtualSize}, or {@code Resizing}. */
  public static final FormatOption SIZE =
      new FormatOption("size", Value.SIZE, "the size of the disk");

  /** The name of the backing file: {@link CreateOptions#withBacking}, or {@code BackingLink}. */
  public static final FormatOption BACKING_FILE =
      new FormatOption("backing_file", Value.TEXT, "the name of the backing file");

  /** The format of the backing file: {@link CreateOptions#withBacking}, or {@code BackingLink}. */
  public static final FormatOption BACKING_FORMAT =
      new FormatOption("backing_fmt", Value.TEXT, "the format of the backing file");

  /** The passphrase: {@link CreateOptions#withSecrets}. */
  public static final FormatOption KEY_SECRET =
      new FormatOption("encrypt.key-secret", Value.TEXT, "the ID of the passphrase");

  /** What becomes of key slots: the methods of {@code KeySlots}. */
  public static final FormatOption KEY_STATE =
      new FormatOption(
          "encrypt.state",
          Value.TEXT,
          "active adds a passphrase, inactive takes away what it opens with");

  /** The passphrase to add. */
  public static final FormatOption NEW_SECRET =
      new FormatOption("encrypt.new-secret", Value.TEXT, "the ID of the passphrase to add");

  /** The passphrase to take away. */
  public static final FormatOption OLD_SECRET =
      new FormatOption("encrypt.old-secret", Value.TEXT, "the ID of the passphrase to take away");

  /** The key slot to fill or to erase. */
  public static final FormatOption KEY_SLOT =
      new FormatOption("encrypt.keyslot", Value.NUMBER, "the key slot to fill or to erase");

  /** How long an attempt at a passphrase takes. */
  public static final FormatOption ITERATION_TIME =
      new FormatOption(
          "encrypt.iter-time",
          Value.NUMBER,
          "milliseconds that an attempt at a passphrase takes here (2000)");

  /** What a disk over a backing file has: both of its options. */
  public static final List<FormatOption> BACKING = List.of(BACKING_FILE, BACKING_FORMAT);

  /** What {@link CreateOptions} has methods for: size and backing file. */
  public static final List<FormatOption> COMMON = List.of(BACKING_FILE, BACKING_FORMAT, SIZE);

  /** The same with a passphrase. */
  public static final List<FormatOption> COMMON_WITH_KEY =
      List.of(BACKING_FILE, BACKING_FORMAT, SIZE, KEY_SECRET);

  /** What images with {@code KeySlots} can have changed. */
  public static final List<FormatOption> KEY_SLOTS =
      List.of(KEY_STATE, NEW_SECRET, OLD_SECRET, KEY_SLOT, ITERATION_TIME);

  /** What an option takes. */
  public enum Value {
    /** A word or a name. */
    TEXT,
    /** A decimal number. */
    NUMBER,
    /** Bytes, in decimal. */
    SIZE,
    /** {@code on} or {@code off}. */
    SWITCH
  }
}
