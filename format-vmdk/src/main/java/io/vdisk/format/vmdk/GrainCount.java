package io.vdisk.format.vmdk;

/** How the grains of an image are used; added up over its extents. One thread. */
final class GrainCount {
  long total;
  long allocated;
  long compressed;
  long fragmented;

  /** Where the last used byte of the longest file ends. */
  long endOffset;
}
