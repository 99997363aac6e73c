package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.Closeable;

/** The rings of guests of Xen, which tapback asks a tapdisk to serve. Any thread may call. */
public interface GuestRings extends Closeable {
  /**
   * Begins to serve a ring from a disk.
   *
   * @throws DiskException with EALREADY if it is served already, with EOPNOTSUPP where rings cannot
   *     be served
   */
  void connect(ControlledDisk disk, GuestRing ring) throws DiskException;

  /**
   * Ends that, when what was taken out of the ring is answered.
   *
   * @throws DiskException with ENODEV if no such ring is served
   */
  void disconnect(int domain, int device) throws DiskException;

  /** Forgets rings that have ended otherwise, as all of a disk do when it is closed. */
  default void forgetGone() {}

  /** Forgets all. */
  @Override
  default void close() {}

  /** For a process that cannot reach guests of Xen. */
  static GuestRings none() {
    return new GuestRings() {
      @Override
      public void connect(ControlledDisk disk, GuestRing ring) throws DiskException {
        throw new DiskException(
            Errno.EOPNOTSUPP,
            "this tapdisk cannot map the ring of domain "
                + ring.domain()
                + ": it has no way to the grants of Xen");
      }

      @Override
      public void disconnect(int domain, int device) throws DiskException {
        throw new DiskException(
            Errno.ENODEV, "no ring of domain " + domain + ", device " + device + ", is connected");
      }
    };
  }
}
