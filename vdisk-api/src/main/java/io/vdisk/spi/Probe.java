package io.vdisk.spi;

/** How sure a format is that a file is its own; later constants are surer. */
public enum Probe {
  /** It is not. */
  NO,
  /** It could be: any file could (raw). */
  WEAK,
  /** The magic number is there. */
  MAGIC,
  /** The magic number is there, and a checksum over it is right. */
  VERIFIED
}
