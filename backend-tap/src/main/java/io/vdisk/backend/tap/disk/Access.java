package io.vdisk.backend.tap.disk;

/** What a guest may do with its disk. */
public enum Access {
  /** {@code r}: read. */
  READ_ONLY,
  /** {@code w}: read and write; nobody else does. */
  READ_WRITE,
  /** {@code w!}: read and write, whoever else does. */
  SHARED
}
