package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.ResumeRequest;
import io.vdisk.backend.tap.disk.ServedRing;
import io.vdisk.backend.tap.disk.XenGuest;
import java.io.Closeable;
import java.util.Optional;

/**
 * One attached disk (vbd) as the control plane sees it. It keeps its state and judges what is
 * allowed in it; each method that does not succeed leaves the state as it was unless it says
 * otherwise.
 *
 * <p>One thread at a time calls the methods that change something, but that which closes it by
 * force; {@link #name}, {@link #state}, {@link #statistics} and {@link #info} are called by any
 * thread at any time, also while another method waits, and return at once.
 */
public interface ControlledDisk {
  /** The disk that is open, paused ones included: the type, a colon and the path. */
  Optional<String> name();

  /** What a list shows: bits of TD_VBD_* in tapdisk-vbd.h. */
  int state();

  /**
   * Opens a disk. The key is the disk's from then on; if this fails it stays the caller's.
   *
   * @throws DiskException with EALREADY if one is open, with ENOENT if there is no driver or no
   *     file of that name, with EINVAL if the name has no colon or the image is wrong
   */
  DiskInfo open(OpenRequest request) throws DiskException;

  /**
   * What the guest knows of the disk; {@link DiskInfo#NONE} before the first opening, and of the
   * last one after it was closed.
   */
  DiskInfo info();

  /**
   * Serves a guest's ring.
   *
   * @param guest given away, whatever happens
   * @return closing it ends that
   * @throws DiskException with EINVAL if nothing is open, with EAGAIN while it is paused
   */
  Closeable serve(TapTransport guest) throws DiskException;

  /** The same for a guest of Xen. */
  ServedRing serve(TapTransport transport, XenGuest guest) throws DiskException;

  /**
   * Answers what is in flight, flushes and closes. Closing what is not open succeeds.
   *
   * @param isForced whether to go on although something fails, or the host never answers. Called
   *     beside any other method, which then fails if it waits for the host
   * @throws DiskException if the last flush failed; it is closed nevertheless
   */
  void close(boolean isForced) throws DiskException;

  /**
   * Answers what is in flight, takes no more, flushes and closes the files. Pausing what is paused
   * succeeds.
   */
  void pause() throws DiskException;

  /**
   * Opens the files again and goes on.
   *
   * @throws DiskException with EINVAL if it is not paused, with EMEDIUMTYPE if the new disk is of
   *     another size or kind; it stays paused, and its state shows that
   */
  void resume(ResumeRequest request) throws DiskException;

  /** Lets so much go in a second from now on, open or not. */
  void limit(RateLimit.Rates rates);

  /** The counters, a JSON object on one line in xapi's form. */
  String statistics();

  /**
   * Lets go of all that attaching took. Not called again.
   *
   * @throws DiskException with EBUSY if a disk is open; it stays attached
   */
  void detach() throws DiskException;
}
