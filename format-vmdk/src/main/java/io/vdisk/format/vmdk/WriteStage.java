package io.vdisk.format.vmdk;

/** In which order changed tables become durable. Nothing is counted, so a crash can only leak. */
enum WriteStage {
  /** Grain tables that no directory on disk names yet; of COWD also the first free sector. */
  NEW_TABLE,
  /**
   * Entries of grain tables and directories that are named, both copies of them: the first stage
   * that exposes data.
   */
  EXPOSE
}
