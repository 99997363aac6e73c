package io.vdisk.backend.tap.disk;

import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.RequestStatistics;
import io.vdisk.backend.tap.ServeOptions;
import io.vdisk.backend.tap.TapTransport;
import java.io.IOException;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One virtual block device of a tapdisk, from attach to detach.
 *
 * <pre>
 *             open              pause
 * attached ---------&gt; open ---------------&gt; paused        close leads from open and paused back to
 *    |  ^               ^                     |           attached, where the state is CLOSED;
 *    |  +--- close -----+------ resume -------+           resume may open another image.
 *    v
 * detached
 * </pre>
 *
 * <p>While it is paused its images are closed, so that another process may change them; guests'
 * requests wait in their rings. A RAM disk stays. What fails leaves the disk as it was: an open
 * that fails leaves it attached and closed, a resume that fails leaves it paused.
 *
 * <p>Any thread may call. The operations follow each other under one lock, which a pause holds
 * while requests drain; {@link #state}, {@link #name}, {@link #statistics} and the limits are read
 * without it. Errors are {@link DiskException}s.
 */
public final class TapDisk {
  private final int minor;
  private final Ring.Start start;
  private final RateLimit limit = new RateLimit();
  private final RequestStatistics statistics = new RequestStatistics();
  private final LongAdder begun = new LongAdder();
  private final LongAdder ended = new LongAdder();

  /** Guards the session, the rings, changes of the state, and whether it is detached. */
  private final ReentrantLock lock = new ReentrantLock();

  private final DiskState state = new DiskState();
  private final DiskSession session;
  private final Rings rings = new Rings();
  private @Nullable GuestDevice device; // of the images that are open, or were
  private boolean isDetached;

  /**
   * An attached disk.
   *
   * @param minor its number
   * @param rams those of the process
   */
  public TapDisk(int minor, DiskPolicy policy, RamDisks rams) {
    this(minor, policy, rams, Ring::serve);
  }

  TapDisk(int minor, DiskPolicy policy, RamDisks rams, Ring.Start start) {
    this.minor = minor;
    this.start = start;
    this.session = new DiskSession(minor, policy, rams);
  }

  /** Its number. */
  public int minor() {
    return minor;
  }

  /** The bits of its state, as {@code tap-ctl list} prints them. */
  public int state() {
    return state.bits();
  }

  /** What it was opened as; empty if it is not. */
  public Optional<String> name() {
    return session.request().map(OpenRequest::name);
  }

  /** How many requests and bytes go in a second; may be changed at any time. */
  public RateLimit limit() {
    return limit;
  }

  /** Everything that is counted, as one line of JSON in xapi's form. */
  public String statistics() {
    long after = ended.sum(); // first, so that the difference is not negative
    return new StatisticsText(
            name(),
            session.disk(),
            statistics.snapshot(),
            begun.sum() - after,
            session.isBuffered(),
            session.hasMirrorFailed())
        .toString();
  }

  /** What was asked of it since it was attached. */
  public RequestStatistics.Snapshot requests() {
    return statistics.snapshot();
  }

  /** What guests are told, paused or not; EINVAL if it is not open. */
  public DiskInfo info() throws DiskException {
    lock.lock();
    try {
      requireOpen();
      return session.info();
    } finally {
      lock.unlock();
    }
  }

  /** Opens the images. EALREADY if it is open; otherwise what the image says. */
  public DiskInfo open(OpenRequest asked) throws DiskException {
    lock.lock();
    try {
      requireAttached();
      if (session.request().isPresent()) {
        throw trouble(Errno.EALREADY, "is open already");
      }
      session.open(asked);
      begin();
      return session.info();
    } catch (IOException e) {
      throw DiskException.of(e);
    } finally {
      lock.unlock();
    }
  }

  private void begin() throws DiskException {
    device = new GuestDevice(running().device(), begun, ended);
    state.become(0);
  }

  /**
   * Attaches a guest's ring. Several may be attached: to disks that their guests share.
   *
   * @param transport owned from here on, also if this fails
   * @throws DiskException EINVAL if the disk is not open, EAGAIN if it is paused
   */
  public ServedRing serve(TapTransport transport) throws IOException {
    boolean isStarted = false;
    lock.lock();
    try {
      OpenDisk open = running();
      rings.closeGone();
      Ring ring = start.start(transport, device(), options(open));
      ServedRing served = new ServedRing(this, ring);
      isStarted = true;
      rings.add(served);
      return served;
    } finally {
      lock.unlock();
      if (!isStarted) {
        transport.close();
      }
    }
  }

  private ServeOptions options(OpenDisk open) {
    ServeOptions options = new ServeOptions(open.isReadOnly(), open.isSerial(), limit, statistics);
    return open.keepsWrites()
        ? options
        : session.writeLogs().map(options::withWriteLogs).orElse(options);
  }

  private GuestDevice device() {
    return Objects.requireNonNull(device, "not open");
  }

  void leave(ServedRing served) throws IOException {
    lock.lock();
    try {
      rings.close(served);
    } finally {
      lock.unlock();
    }
  }

  /** Drains all rings and closes the images. Again is harmless. */
  public void pause() throws DiskException {
    lock.lock();
    try {
      requireOpen();
      state.change(DiskState.PAUSE_REQUESTED | DiskState.QUIESCE_REQUESTED, 0);
      rings.pause();
      suspend();
    } catch (IOException e) {
      throw DiskException.of(e);
    } finally {
      lock.unlock();
    }
  }

  /** Whatever closing them says, the images are closed then. */
  private void suspend() throws IOException {
    try {
      session.suspend();
      device().settle();
    } finally {
      state.become(DiskState.CLOSED | DiskState.QUIESCED | DiskState.PAUSED);
    }
  }

  /**
   * Opens the images again, or others, and goes on. The disk must be as before or have grown.
   *
   * @throws DiskException EINVAL if it is not paused, EMEDIUMTYPE if the disk is another one;
   *     otherwise what the image says
   */
  public void resume(ResumeRequest asked) throws DiskException {
    lock.lock();
    try {
      requireOpen();
      if (!state.has(DiskState.PAUSED)) {
        throw trouble(Errno.EINVAL, "is not paused");
      }
      long sectors = session.info().sectors();
      state.change(DiskState.RESUME_FAILED, 0);
      session.reopen(asked);
      begin();
      resumeRings(sectors);
    } catch (IOException e) {
      throw DiskException.of(e);
    } finally {
      lock.unlock();
    }
  }

  private void resumeRings(long sectorsBefore) throws IOException {
    rings.resume(device());
    if (session.info().sectors() != sectorsBefore) {
      rings.announceSize();
    }
  }

  /**
   * Makes the disk larger while guests use it, and tells them.
   *
   * @param sectors of 512 bytes
   * @throws DiskException EINVAL if it would shrink or is read-only, ENOSYS if the format cannot
   */
  public DiskInfo grow(long sectors) throws DiskException {
    lock.lock();
    try {
      OpenDisk unused = running();
      long before = session.info().sectors();
      rings.pause();
      try {
        session.grow(sectors);
      } finally {
        resumeRings(before);
      }
      return session.info();
    } catch (IOException e) {
      throw DiskException.of(e);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets go of all rings, flushes and closes the images. Harmless if it is not open.
   *
   * @param isForced whether what fails on the way is not told
   */
  public void close(boolean isForced) throws DiskException {
    lock.lock();
    try {
      FirstFailure failure = new FirstFailure();
      rings.closeAll(failure);
      session.end(failure);
      if (failure.isNone()) {
        failure.run(session::dropWriteLogs);
      }
      state.become(DiskState.CLOSED);
      if (!isForced) {
        failure.check();
      }
    } catch (IOException e) {
      throw DiskException.of(e);
    } finally {
      lock.unlock();
    }
  }

  /** Ends it; EBUSY if it is open. */
  public void detach() throws DiskException {
    lock.lock();
    try {
      requireAttached();
      if (session.request().isPresent()) {
        throw trouble(Errno.EBUSY, "is open");
      }
      isDetached = true;
    } finally {
      lock.unlock();
    }
  }

  private void requireAttached() throws DiskException {
    if (isDetached) {
      throw trouble(Errno.ENODEV, "is detached");
    }
  }

  private void requireOpen() throws DiskException {
    requireAttached();
    if (session.request().isEmpty()) {
      throw trouble(Errno.EINVAL, "is not open");
    }
  }

  private OpenDisk running() throws DiskException {
    requireOpen();
    return session.disk().orElseThrow(() -> trouble(Errno.EAGAIN, "is paused"));
  }

  private DiskException trouble(Errno errno, String what) {
    return new DiskException(errno, "disk " + minor + " " + what);
  }
}
