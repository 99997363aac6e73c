package io.vdisk.backend.tap.control;

/**
 * The devices of blktap 1, {@code /dev/xen/blktap0} and {@code /dev/xen/blktap<minor>}: the daemon
 * asks for them, and a tapdisk serves them. Any thread may call.
 */
public interface BlktapDevices {
  /**
   * Looks whether there are any.
   *
   * @throws ControlException with ENODEV if not
   */
  void check() throws ControlException;

  /**
   * Makes the interface to a guest's disk, and the node of its device (NEWINTF, MAJOR, mknod).
   *
   * @return its minor, from 1 on
   */
  int create(int domain, int device) throws ControlException;

  /** Takes that back (FREEINTF). */
  void free(int minor) throws ControlException;

  /** Serves the device of a minor from a disk (mmap, SENDPID, SETMODE). */
  void connect(int minor, ControlledDisk disk) throws ControlException;

  /** Ends that. */
  void disconnect(int minor) throws ControlException;

  /** For a kernel that has no such devices. */
  static BlktapDevices none() {
    return new BlktapDevices() {
      @Override
      public void check() throws ControlException {
        throw new ControlException(
            ErrorNumber.ENODEV,
            "/dev/xen/blktap0 is missing: this kernel has no blktap, and no guest can be reached");
      }

      @Override
      public int create(int domain, int device) throws ControlException {
        check();
        throw new AssertionError("there are no devices");
      }

      @Override
      public void free(int minor) throws ControlException {
        throw new ControlException(
            ErrorNumber.ENODEV, "/dev/xen/blktap0 is missing: there is no minor " + minor);
      }

      @Override
      public void connect(int minor, ControlledDisk disk) throws ControlException {
        throw new ControlException(
            ErrorNumber.ENODEV, "/dev/xen/blktap" + minor + " is missing: it cannot be served");
      }

      @Override
      public void disconnect(int minor) throws ControlException {
        throw new ControlException(
            ErrorNumber.ENODEV, "/dev/xen/blktap" + minor + " is not served");
      }
    };
  }
}
