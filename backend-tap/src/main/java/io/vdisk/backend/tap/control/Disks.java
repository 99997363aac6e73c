package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;

/**
 * Where a tapdisk gets its disks from: the seam between the control plane and what opens images.
 * Any thread may call.
 */
public interface Disks {
  /**
   * Makes the disk of a minor, with nothing open. The server calls this once for a minor until it
   * has detached it again.
   *
   * @param minor 0 to 65,535
   */
  ControlledDisk attach(int minor) throws DiskException;
}
