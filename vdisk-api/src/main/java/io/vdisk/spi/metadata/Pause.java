package io.vdisk.spi.metadata;

/** Where a test may stop a thread between two steps. Does nothing in production. */
@FunctionalInterface
interface Pause {
  Pause NONE = point -> {};

  /** The calling thread is at {@code point}. */
  void at(String point);
}
