package io.vdisk.backend.tap;

/**
 * What a guest is told of its disk.
 *
 * @param size in bytes
 * @param isReadOnly whether writes are refused
 * @param isCdrom whether it is to look like a CD-ROM
 */
public record DiskNumbers(long size, boolean isReadOnly, boolean isCdrom) {
  private static final int CDROM = 1;
  private static final int READ_ONLY = 4;

  /** The same by sectors of 512 bytes, and the bits of {@link #info}. */
  public static DiskNumbers of(long sectors, int info) {
    return new DiskNumbers(
        sectors * TapRequest.SECTOR_SIZE, (info & READ_ONLY) != 0, (info & CDROM) != 0);
  }

  /** Sectors of 512 bytes. */
  public long sectors() {
    return size / TapRequest.SECTOR_SIZE;
  }

  /** The bits of blkif's {@code info} node: 1 a CD-ROM, 4 read-only. */
  public int info() {
    return (isCdrom ? CDROM : 0) | (isReadOnly ? READ_ONLY : 0);
  }
}
