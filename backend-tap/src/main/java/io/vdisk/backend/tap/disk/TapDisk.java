package io.vdisk.backend.tap.disk;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.RequestStatistics;
import io.vdisk.backend.tap.TapTransport;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

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
 * <p>Any thread may call. The operations follow each other on one thread, where a pause waits for
 * requests to drain; {@link #state}, {@link #name}, {@link #info}, {@link #statistics} and the
 * limits are read at once. Errors are {@link DiskException}s.
 */
public final class TapDisk {
  /** So long a forced closing waits for the host. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final int minor;
  private final Duration patience;
  private final DiskThread thread;
  private final DiskState state = new DiskState();
  private volatile boolean isDetached;

  // The thread's.
  private final DiskSession session;
  private final Guests guests;

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
    this(minor, policy, rams, start, PATIENCE);
  }

  TapDisk(int minor, DiskPolicy policy, RamDisks rams, Ring.Start start, Duration patience) {
    this.minor = minor;
    this.patience = patience;
    this.thread = new DiskThread("disk " + minor);
    this.session = new DiskSession(minor, policy, rams);
    this.guests = new Guests(start);
  }

  /** Its number. */
  public int minor() {
    return minor;
  }

  /** The bits of its state, as {@code tap-ctl list} prints them. */
  public int state() {
    return thread.isGivenUp() ? DiskState.DEAD | DiskState.CLOSED : state.bits();
  }

  /** What it was opened as; empty if it is not. */
  public Optional<String> name() {
    return thread.isGivenUp() ? Optional.empty() : session.request().map(OpenRequest::name);
  }

  /** How many requests and bytes go in a second; may be changed at any time. */
  public RateLimit limit() {
    return guests.limit();
  }

  /** Everything that is counted, as one line of JSON in xapi's form. */
  public String statistics() {
    return new StatisticsText(
            name(),
            session.disk(),
            guests.rings(),
            guests.requests(),
            guests.outstanding(),
            session.isBuffered(),
            session.hasMirrorFailed())
        .toString();
  }

  /** What was asked of it since it was attached. */
  public RequestStatistics.Snapshot requests() {
    return guests.requests();
  }

  /**
   * What guests are told, paused or not; {@link DiskInfo#NONE} before the first opening, and as it
   * was after the disk was closed.
   */
  public DiskInfo info() {
    return session.info();
  }

  /** Opens the images. EALREADY if it is open; otherwise what the image says. */
  public DiskInfo open(OpenRequest asked) throws DiskException {
    return thread.call(
        () -> {
          requireAttached();
          if (session.request().isPresent()) {
            throw trouble(Errno.EALREADY, "is open already");
          }
          session.open(asked);
          begin();
          return session.info();
        });
  }

  private void begin() throws DiskException {
    guests.become(running());
    state.become(0);
  }

  /**
   * Attaches a guest's ring. Several may be attached: to disks that their guests share.
   *
   * @param transport owned from here on, also if this fails
   * @throws DiskException EINVAL if the disk is not open, EAGAIN if it is paused
   */
  public ServedRing serve(TapTransport transport) throws IOException {
    return serve(transport, Optional.empty());
  }

  /** The same for a guest of Xen. */
  public ServedRing serve(TapTransport transport, XenGuest guest) throws IOException {
    return serve(transport, Optional.of(guest));
  }

  private ServedRing serve(TapTransport transport, Optional<XenGuest> guest) throws IOException {
    boolean isStarted = false;
    try {
      ServedRing served =
          thread.call(() -> guests.start(this, running(), transport, guest, session.writeLogs()));
      isStarted = true;
      return served;
    } finally {
      if (!isStarted) {
        transport.close();
      }
    }
  }

  /** Whether it does one request at a time, so that a guest has one ring. It is open. */
  public boolean isSerial() throws DiskException {
    return thread.call(() -> running().isSerial());
  }

  /** Whether a host that did not answer left it good for nothing but to be detached. */
  boolean isGivenUp() {
    return thread.isGivenUp();
  }

  void leave(ServedRing served) throws IOException {
    thread.run(() -> guests.close(served));
  }

  /**
   * Drains all rings, flushes and closes the images. If they cannot be flushed the guests go on,
   * and hear of it when they flush. Again is harmless.
   */
  public void pause() throws DiskException {
    thread.run(
        () -> {
          requireOpen();
          state.change(DiskState.PAUSE_REQUESTED | DiskState.QUIESCE_REQUESTED, 0);
          guests.pause();
          settle();
          suspend();
        });
  }

  /** While the images are open: who goes on from others never hears what these could not keep. */
  private void settle() throws IOException {
    boolean isDurable = false;
    try {
      session.flush();
      isDurable = true;
    } finally {
      if (!isDurable) {
        state.become(0);
        guests.resume(session.writeLogs());
      }
    }
    guests.settle();
  }

  /** Whatever closing them says, the images are closed then. */
  private void suspend() throws IOException {
    try {
      session.suspend();
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
    thread.run(
        () -> {
          requireOpen();
          if (!state.has(DiskState.PAUSED)) {
            throw trouble(Errno.EINVAL, "is not paused");
          }
          long sectors = session.info().sectors();
          state.change(DiskState.RESUME_FAILED, 0);
          session.reopen(asked);
          begin();
          resumeOrPause(sectors);
        });
  }

  /**
   * All go on, or the disk is paused as before: of a guest without a log a kill takes what it has.
   */
  private void resumeOrPause(long sectorsBefore) throws IOException {
    boolean isResumed = false;
    try {
      resumeRings(sectorsBefore);
      isResumed = true;
    } finally {
      if (!isResumed) {
        guests.pause();
        settle();
        suspend();
      }
    }
  }

  private void resumeRings(long sectorsBefore) throws IOException {
    guests.resume(session.writeLogs());
    if (session.info().sectors() != sectorsBefore) {
      guests.announceSize();
    }
  }

  /**
   * Makes the disk larger while guests use it, and tells them.
   *
   * @param sectors of 512 bytes
   * @throws DiskException EINVAL if it would shrink or is read-only, ENOSYS if the format cannot
   */
  public DiskInfo grow(long sectors) throws DiskException {
    return thread.call(
        () -> {
          OpenDisk unused = running();
          long before = session.info().sectors();
          guests.pause();
          try {
            session.grow(sectors);
          } finally {
            resumeRings(before);
          }
          return session.info();
        });
  }

  /**
   * Lets go of all rings, flushes and closes the images. Harmless if it is not open.
   *
   * @param isForced whether what fails on the way is not told; and if the host does not answer in 5
   *     seconds the disk is given up. Then its images stay open, so that nobody else changes them
   *     while a late request may, and it is only good to be detached: the end of the process closes
   *     them
   */
  public void close(boolean isForced) throws DiskException {
    if (thread.isGivenUp()) {
      return;
    }
    if (isForced) {
      thread.runWithin(patience, this::end);
    } else {
      thread.run(() -> end().check());
    }
  }

  private FirstFailure end() {
    FirstFailure failure = new FirstFailure();
    guests.closeAll(failure);
    if (failure.isNone()) { // else what a closing that failed has left is in them
      failure.run(session::dropWriteLogs);
    }
    session.end(failure);
    state.become(DiskState.CLOSED);
    return failure;
  }

  /** Ends it; EBUSY if it is open. */
  public void detach() throws DiskException {
    if (thread.isGivenUp()) {
      isDetached = true;
      return;
    }
    thread.run(
        () -> {
          requireAttached();
          if (session.request().isPresent()) {
            throw trouble(Errno.EBUSY, "is open");
          }
          isDetached = true;
          thread.rest();
        });
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
