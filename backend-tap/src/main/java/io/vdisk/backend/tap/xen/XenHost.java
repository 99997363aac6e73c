package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.RamDisks;
import io.vdisk.backend.tap.disk.RingFiles;

/**
 * What the devices of a process share.
 *
 * @param rams the disks in memory
 * @param connector the way to the memory of guests
 * @param locks who serves what
 * @param files where xentop finds what was asked
 */
public record XenHost(
    XenStore store,
    XenOptions options,
    RamDisks rams,
    RingConnector connector,
    DeviceLocks locks,
    RingFiles files) {
  /** With disks in memory as the policy allows them. */
  public XenHost(
      XenStore store,
      XenOptions options,
      RingConnector connector,
      DeviceLocks locks,
      RingFiles files) {
    this(store, options, new RamDisks(options.policy().ramBytes()), connector, locks, files);
  }
}
