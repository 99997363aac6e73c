package io.vdisk.format.vhd;

/** In which order changed tables become durable. Nothing is counted, so a crash can only leak. */
enum WriteStage {
  /** Sector bitmaps of blocks that no entry on disk names yet. */
  NEW_BLOCK,
  /**
   * Entries of the block allocation table, and bits of blocks that are named: the first stage that
   * exposes data.
   */
  EXPOSE
}
