package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;

/**
 * The devices of blktap 1, {@code /dev/xen/blktap0} and {@code /dev/xen/blktap<minor>}: the daemon
 * asks for them, and a tapdisk serves them. Any thread may call.
 */
public interface BlktapDevices {
  /**
   * Looks whether there are any.
   *
   * @throws DiskException with ENODEV if not
   */
  void check() throws DiskException;

  /**
   * Makes the interface to a guest's disk, and the node of its device (NEWINTF, MAJOR, mknod).
   *
   * @return its minor, from 1 on
   */
  int create(int domain, int device) throws DiskException;

  /** Takes that back (FREEINTF). */
  void free(int minor) throws DiskException;

  /** Serves the device of a minor from a disk (mmap, SENDPID, SETMODE). */
  void connect(int minor, ControlledDisk disk) throws DiskException;

  /** Ends that. */
  void disconnect(int minor) throws DiskException;

  /** For a kernel that has no such devices. */
  static BlktapDevices none() {
    return new BlktapDevices() {
      @Override
      public void check() throws DiskException {
        throw new DiskException(
            Errno.ENODEV,
            "/dev/xen/blktap0 is missing: this kernel has no blktap, and no guest can be reached");
      }

      @Override
      public int create(int domain, int device) throws DiskException {
        check();
        throw new AssertionError("there are no devices");
      }

      @Override
      public void free(int minor) throws DiskException {
        throw new DiskException(
            Errno.ENODEV, "/dev/xen/blktap0 is missing: there is no minor " + minor);
      }

      @Override
      public void connect(int minor, ControlledDisk disk) throws DiskException {
        throw new DiskException(
            Errno.ENODEV, "/dev/xen/blktap" + minor + " is missing: it cannot be served");
      }

      @Override
      public void disconnect(int minor) throws DiskException {
        throw new DiskException(Errno.ENODEV, "/dev/xen/blktap" + minor + " is not served");
      }
    };
  }
}
