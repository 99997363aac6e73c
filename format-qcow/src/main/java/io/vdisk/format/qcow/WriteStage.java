package io.vdisk.format.qcow;

/** In which order changed tables become durable. Nothing is counted, so a crash can only leak. */
enum WriteStage {
  /** L2 tables that no L1 entry on disk names yet. */
  L2_TABLE,
  /** L1 entries, and entries of L2 tables that are named: the first stage that exposes data. */
  L1_TABLE
}
