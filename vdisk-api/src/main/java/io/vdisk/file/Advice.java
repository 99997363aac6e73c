package io.vdisk.file;

/** How bytes of a host file are going to be used. */
public enum Advice {
  /** In ascending order: the host may read further ahead, of the whole file. */
  SEQUENTIAL,

  /** Not again: the host may drop them from its cache, as far as they were flushed. */
  NOT_AGAIN,

  /** Flushed soon: the host may begin to write what was changed, and not wait for that. */
  FLUSHED_SOON
}
