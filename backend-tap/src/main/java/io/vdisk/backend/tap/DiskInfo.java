package io.vdisk.backend.tap;

/**
 * What a guest is told of its disk. Immutable.
 *
 * @param sectors of 512 bytes; a part of one at the end of an image is not the guest's
 * @param sectorSize bytes: 512
 * @param info bits of blkif's {@code info} node: 1 a CD-ROM, 2 removable, {@link #READ_ONLY}
 */
public record DiskInfo(long sectors, int sectorSize, int info) {
  /** It cannot be written (VDISK_READONLY of blkif.h). */
  public static final int READ_ONLY = 4;

  /** Bytes of a sector. */
  public static final int SECTOR = 512;

  /** Of a disk that was never open. */
  public static final DiskInfo NONE = new DiskInfo(0, 0, 0);

  /** Of a disk of so many bytes. */
  public static DiskInfo of(long bytes, boolean isReadOnly) {
    return new DiskInfo(bytes / SECTOR, SECTOR, isReadOnly ? READ_ONLY : 0);
  }

  /** Whether a guest that knows this disk can go on with the other one: it may have grown. */
  public boolean mayBecome(DiskInfo other) {
    return other.sectors >= sectors && other.sectorSize == sectorSize && other.info == info;
  }
}
