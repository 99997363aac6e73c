package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;

/**
 * How grain directory and grain tables of one file lie. All offsets and sizes in bytes.
 *
 * @param capacity of the extent
 * @param grainSize a power of two
 * @param tableEntries entries of a grain table, a power of two
 * @param directory where the grain directory begins
 * @param redundant where its copy begins; 0: there is none
 * @param hasZeroed whether an entry of 1 is a grain of zeroes
 * @param isCompressed whether entries name markers with compressed grains
 * @param headerEnd where header and descriptor end, behind which everything else lies
 */
record GrainGeometry(
    HostFile file,
    long capacity,
    long grainSize,
    int tableEntries,
    long directory,
    long redundant,
    boolean hasZeroed,
    boolean isCompressed,
    long headerEnd) {
  /** 32 MiB of entries: 64 TiB in grains of 64 KiB takes 8 MiB. */
  private static final long MAX_DIRECTORY = 32L << 20;

  static final int SECTOR = SparseHeader.SECTOR;

  /** Entries have 32 bits, and count sectors. */
  static final long MAX_FILE = (long) SECTOR << 32;

  /** Refuses directories that are too large, or not in the file. */
  void check(Limits limits) throws IOException {
    if (directoryBytes() > MAX_DIRECTORY) {
      throw new UnsupportedImageException(
          file.name() + ": a grain directory of " + directoryBytes() + " bytes is too large");
    }
    limits.checkTable("grain directory", directoryBytes(), file.name());
    checkInFile(directory, "grain directory");
    if (redundant != 0) {
      checkInFile(redundant, "redundant grain directory");
    }
  }

  private void checkInFile(long offset, String what) throws IOException {
    if (offset > file.size() - directoryBytes()) {
      throw new CorruptImageException(
          file.name() + ": the " + what + " at " + offset + " is past the end");
    }
  }

  /** Guest bytes of a grain table. */
  long tableSpan() {
    return grainSize * tableEntries;
  }

  /** Grain tables. */
  long tables() {
    return (capacity + tableSpan() - 1) / tableSpan();
  }

  /** Grains. */
  long grains() {
    return (capacity + grainSize - 1) / grainSize;
  }

  /** Bytes of a directory, in words of eight. */
  long directoryBytes() {
    return (tables() * Integer.BYTES + 7) & -8;
  }

  int tableBytes() {
    return tableEntries * Integer.BYTES;
  }

  long grainSectors() {
    return grainSize / SECTOR;
  }

  boolean isRedundant() {
    return redundant != 0;
  }

  /** Whether a range of the file lies beside header and directories. */
  boolean isFree(long offset, long length) {
    return offset >= headerEnd
        && !touches(offset, length, directory)
        && (redundant == 0 || !touches(offset, length, redundant));
  }

  private boolean touches(long offset, long length, long start) {
    return offset < start + directoryBytes() && offset + length > start;
  }
}
