package io.vdisk.backend.tap.control;

/** The rings of guests of Xen, which tapback asks a tapdisk to serve. Any thread may call. */
public interface GuestRings {
  /**
   * Begins to serve a ring from a disk.
   *
   * @throws ControlException with EALREADY if it is served already, with EOPNOTSUPP where rings
   *     cannot be served
   */
  void connect(ControlledDisk disk, GuestRing ring) throws ControlException;

  /**
   * Ends that.
   *
   * @throws ControlException with ENODEV if no such ring is served
   */
  void disconnect(int domain, int device) throws ControlException;

  /** For a process that cannot reach guests of Xen. */
  static GuestRings none() {
    return new GuestRings() {
      @Override
      public void connect(ControlledDisk disk, GuestRing ring) throws ControlException {
        throw new ControlException(
            ErrorNumber.EOPNOTSUPP,
            "this tapdisk cannot map the ring of domain "
                + ring.domain()
                + ": it has no way to the grants of Xen");
      }

      @Override
      public void disconnect(int domain, int device) throws ControlException {
        throw new ControlException(
            ErrorNumber.ENODEV,
            "no ring of domain " + domain + ", device " + device + ", is connected");
      }
    };
  }
}
