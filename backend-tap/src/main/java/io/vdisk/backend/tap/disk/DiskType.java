package io.vdisk.backend.tap.disk;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The drivers by name. The numbers are those of today's tapdisk ({@code tapdisk-disktype.h}), with
 * XCP-ng's 6 for qcow2 too; VHDX, which it has not, is ours. A driver opens exactly one format, and
 * none by probing.
 */
public enum DiskType {
  /** A raw image, as many requests at once as come. */
  AIO("aio", 0, "raw"),
  /** A raw image, one request at a time, durable before its response. */
  SYNC("sync", 1, "raw"),
  /** A block device: raw. */
  PHY("phy", 0, "raw"),
  /** A file: raw. */
  FILE("file", 0, "raw"),
  /** VMware's images. */
  VMDK("vmdk", 2, "vmdk"),
  /** Virtual PC's images, and Xen's. */
  VHD("vhd", 4, "vhd"),
  /** Memory, see {@link RamDisks}. */
  RAM("ram", 5, null),
  /** QEMU's first format. */
  QCOW("qcow", 6, "qcow"),
  /** QEMU's second format. */
  QCOW2("qcow2", 6, "qcow2"),
  /** Hyper-V's images. */
  VHDX("vhdx", 16, "vhdx"),
  /** Known, and not built. */
  VHDSYNC("vhdsync", 3, null),
  /** Known, and not built: a cache of blocks in memory. */
  BC("bc", 7, null),
  /** Known, and not built: an index over VHDs. */
  VHDI("vhdi", 8, null),
  /** Known, and not a driver of its own here: see {@link OpenRequest#log}. */
  LOG("log", 9, null),
  /** Known, and not built: a copy on another host. */
  REMUS("remus", 10, null),
  /** Known, and not a driver of its own here: see {@link OpenFlag#LOCAL_CACHE}. */
  LC("lc", 11, null),
  /** Known, and not built: a cache of the leaf, ephemeral. */
  LLE("lle", 12, null),
  /** Known, and not built: a cache of the leaf, persistent. */
  LLP("llp", 13, null),
  /** Known, and not built: a rate limit shared by several. */
  VALVE("valve", 14, null),
  /** Known, and not built: a network block device. */
  NBD("nbd", 15, null);

  /** Most characters of a name, DISK_TYPE_NAME_MAX - 1. */
  private static final int MOST_CHARACTERS = 31;

  private final String label;
  private final int number;
  private final @Nullable String format;

  DiskType(String label, int number, @Nullable String format) {
    this.label = label;
    this.number = number;
    this.format = format;
  }

  /**
   * The driver of this name.
   *
   * @throws DiskException if there is none (ENOENT), or it is not built (ENOSYS)
   */
  static DiskType named(String name) throws DiskException {
    if (name.length() > MOST_CHARACTERS) {
      throw new DiskException(
          Errno.ENAMETOOLONG, "a driver's name has at most " + MOST_CHARACTERS + " characters");
    }
    for (DiskType type : values()) {
      if (type.label.equals(name)) {
        return type.built();
      }
    }
    throw new DiskException(Errno.ENOENT, "there is no driver '" + name + "'");
  }

  private DiskType built() throws DiskException {
    if (format == null && this != RAM) {
      throw new DiskException(Errno.ENOSYS, "the driver '" + label + "' is not built here");
    }
    return this;
  }

  /** As a disk string spells it. */
  public String label() {
    return label;
  }

  /** As statistics number it. */
  public int number() {
    return number;
  }

  /** The format that it opens, as {@code OpenOptions.withFormat} takes it; empty for memory. */
  Optional<String> format() {
    return Optional.ofNullable(format);
  }

  /**
   * Whether the bytes of the file are those of the disk: nothing of it can be broken by sharing.
   */
  boolean isRaw() {
    return "raw".equals(format);
  }
}
