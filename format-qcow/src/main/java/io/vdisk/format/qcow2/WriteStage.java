package io.vdisk.format.qcow2;

/** The order in which changed tables become durable. Each is on disk before the next begins. */
enum WriteStage {
  /** A cluster is counted before anything names it. */
  REFCOUNT_BLOCK,
  /** Names blocks of the stage before; a table that moved, too. */
  REFCOUNT_TABLE,
  /** Bytes 48 to 63 of the header: a table that moved, before any table that relies on it. */
  REFCOUNT_POINTER,
  /** The first stage that exposes guest data. */
  L2_TABLE,
  /** Names L2 tables. */
  L1_TABLE,
  /** All other fields of the header. */
  HEADER
}
