package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.RamDisks;

/**
 * What the devices of a process share.
 *
 * @param rams the disks in memory
 * @param connector the way to the memory of guests
 * @param locks who serves what
 */
public record XenHost(
    XenStore store, XenOptions options, RamDisks rams, RingConnector connector, DeviceLocks locks) {
  /** With disks in memory as the policy allows them. */
  public XenHost(XenStore store, XenOptions options, RingConnector connector, DeviceLocks locks) {
    this(store, options, new RamDisks(options.policy().ramBytes()), connector, locks);
  }
}
