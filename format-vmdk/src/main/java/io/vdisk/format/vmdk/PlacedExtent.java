package io.vdisk.format.vmdk;

/**
 * An extent and its place on the disk.
 *
 * @param start guest offset of its first byte
 * @param line as the descriptor has it
 */
record PlacedExtent(long start, VmdkExtent extent, ExtentLine line) {
  /** Guest offset behind its last byte. */
  long end() {
    return start + extent.size();
  }
}
