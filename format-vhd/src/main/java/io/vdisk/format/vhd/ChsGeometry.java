package io.vdisk.format.vhd;

import io.vdisk.Geometry;

/**
 * Cylinders, heads and sectors per track, as a footer records them for guests that address so.
 * Source: Virtual Hard Disk Image Format Specification 1.0, "CHS Calculation".
 *
 * @param cylinders 0 to 65,535
 * @param heads 0 to 255; 16 at most where it was calculated
 * @param sectorsPerTrack 0 to 255
 */
record ChsGeometry(int cylinders, int heads, int sectorsPerTrack) {
  private static final int MAX_CYLINDERS = 65_535;
  private static final int MAX_HEADS = 16;
  private static final int MAX_SECTORS = 255;

  /** The sectors of the largest geometry: 127 GiB. Disks that are larger have it too. */
  static final long MAX_TOTAL = (long) MAX_CYLINDERS * MAX_HEADS * MAX_SECTORS;

  private static final int CYLINDERS_OF_OLD = 1024;

  /**
   * What the specification calculates for a disk: so many sectors or a little fewer.
   *
   * @param totalSectors sectors of 512 bytes
   */
  static ChsGeometry of(long totalSectors) {
    long total = Math.min(totalSectors, MAX_TOTAL);
    if (total >= (long) MAX_CYLINDERS * MAX_HEADS * 63) {
      return with(total, MAX_HEADS, MAX_SECTORS);
    }
    long tracks = total / 17;
    int heads = (int) Math.max(4, (tracks + CYLINDERS_OF_OLD - 1) / CYLINDERS_OF_OLD);
    if (heads <= MAX_HEADS && tracks < (long) heads * CYLINDERS_OF_OLD) {
      return with(total, heads, 17);
    }
    return total / 31 < MAX_HEADS * CYLINDERS_OF_OLD
        ? with(total, MAX_HEADS, 31)
        : with(total, MAX_HEADS, 63);
  }

  /** The smallest geometry that has at least so many sectors, as QEMU looks for it. */
  static ChsGeometry holding(long totalSectors) {
    long wanted = Math.min(totalSectors, MAX_TOTAL);
    ChsGeometry found = of(wanted);
    for (long total = wanted; found.sectors() < wanted; total++) {
      found = of(total);
    }
    return found;
  }

  private static ChsGeometry with(long total, int heads, int sectorsPerTrack) {
    return new ChsGeometry((int) (total / sectorsPerTrack / heads), heads, sectorsPerTrack);
  }

  /** From the footer's field: two bytes of cylinders, one of heads, one of sectors. */
  static ChsGeometry decode(long field) {
    return new ChsGeometry(
        (int) (field >>> 16) & 0xffff, (int) (field >>> 8) & 0xff, (int) field & 0xff);
  }

  /** The footer's field. */
  long encode() {
    return ((long) cylinders << 16) | ((long) heads << 8) | sectorsPerTrack;
  }

  /** Sectors of 512 bytes that it reaches. */
  long sectors() {
    return (long) cylinders * heads * sectorsPerTrack;
  }

  Geometry toGeometry() {
    return new Geometry(cylinders, heads, sectorsPerTrack);
  }
}
