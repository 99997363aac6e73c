package io.vdisk.testkit;

/** What is done to a host file. */
public enum HostOperation {
  READ,
  WRITE,
  ZERO,
  RESIZE,
  FLUSH
}
