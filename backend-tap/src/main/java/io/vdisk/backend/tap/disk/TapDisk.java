package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.RequestStatistics;
import io.vdisk.backend.tap.ServeOptions;
import io.vdisk.backend.tap.TapTransport;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
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
  private final DiskPolicy policy;
  private final RamDisks rams;
  private final Ring.Start start;

  private final RateLimit limit = new RateLimit();
  private final RequestStatistics statistics = new RequestStatistics();
  private final LongAdder begun = new LongAdder();
  private final LongAdder ended = new LongAdder();
  private final DiskState state = new DiskState();

  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable OpenRequest request; // written under the lock; null: attached
  private volatile @Nullable OpenDisk disk; // written under the lock; null: not open, or paused
  private volatile boolean hasMirrorFailed; // of the images that were open last
  private boolean isStandbyInUse; // of the images that were open last; under the lock
  private @Nullable DiskInfo info; // under the lock
  private @Nullable BlockDevice heldRam; // under the lock; keeps it while the disk is paused
  private boolean isDetached; // under the lock
  private final List<ServedRing> rings = new ArrayList<>(); // under the lock

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
    this.policy = policy;
    this.rams = rams;
    this.start = start;
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
    return Optional.ofNullable(request).map(OpenRequest::name);
  }

  /** How many requests and bytes go in a second; may be changed at any time. */
  public RateLimit limit() {
    return limit;
  }

  /** Everything that is counted, as one line of JSON in xapi's form. */
  public String statistics() {
    return new StatisticsText(
            name(),
            Optional.ofNullable(disk),
            statistics.snapshot(),
            outstanding(),
            isBuffered(),
            hasMirrorFailed)
        .toString();
  }

  private long outstanding() {
    long after = ended.sum(); // first, so that the difference is not negative
    return begun.sum() - after;
  }

  private boolean isBuffered() {
    OpenRequest open = request;
    return open != null && open.has(OpenRequest.NO_O_DIRECT);
  }

  /** What guests are told, paused or not; EINVAL if it is not open. */
  public DiskInfo info() throws DiskException {
    lock.lock();
    try {
      requireOpen();
      return known();
    } finally {
      lock.unlock();
    }
  }

  /** Opens the images. EALREADY if it is open; otherwise what the image says. */
  public DiskInfo open(OpenRequest asked) throws DiskException {
    lock.lock();
    try {
      requireAttached();
      if (request != null) {
        throw trouble(Errno.EALREADY, "is open already");
      }
      isStandbyInUse = false;
      OpenDisk opened = opened(asked);
      hasMirrorFailed = false;
      become(opened, asked);
      return opened.info();
    } finally {
      lock.unlock();
    }
  }

  private OpenDisk opened(OpenRequest asked) throws DiskException {
    try {
      return OpenDisk.open(policy, rams, asked, isStandbyInUse);
    } catch (IOException e) {
      throw DiskException.of(e);
    }
  }

  private void become(OpenDisk opened, OpenRequest asked) {
    disk = opened;
    request = asked;
    info = opened.info();
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
      requireOpen();
      leaveGone();
      OpenDisk open = running();
      ServeOptions options =
          new ServeOptions(open.isReadOnly(), open.isSerial(), limit, statistics);
      Ring ring = start.start(transport, counted(open), options);
      isStarted = true;
      ServedRing served = new ServedRing(this, ring);
      rings.add(served);
      return served;
    } finally {
      lock.unlock();
      if (!isStarted) {
        transport.close();
      }
    }
  }

  /** Lets go of the rings of guests that have left. */
  private void leaveGone() throws IOException {
    for (ServedRing served : List.copyOf(rings)) {
      if (!served.isServing()) {
        leave(served);
      }
    }
  }

  private BlockDevice counted(OpenDisk open) {
    return new CountedDevice(open.device(), begun, ended);
  }

  void leave(ServedRing served) throws IOException {
    lock.lock();
    try {
      if (rings.remove(served)) {
        served.ring().close();
      }
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
      quiesce();
      state.change(DiskState.QUIESCED, DiskState.QUIESCE_REQUESTED);
      OpenDisk open = disk;
      if (open != null) {
        heldRam = heldRam(open);
        closeImages(open);
      }
    } catch (IOException e) {
      throw DiskException.of(e);
    } finally {
      if (state.has(DiskState.QUIESCED)) {
        state.change(DiskState.CLOSED | DiskState.PAUSED, DiskState.PAUSE_REQUESTED);
      }
      lock.unlock();
    }
  }

  private void quiesce() throws IOException {
    for (ServedRing served : rings) {
      served.ring().pause();
    }
  }

  private @Nullable BlockDevice heldRam(OpenDisk open) throws IOException {
    DiskDescriptor image = open.image();
    return image.type() == DiskType.RAM ? rams.open(image, false) : null;
  }

  private void closeImages(OpenDisk open) throws IOException {
    hasMirrorFailed |= open.hasMirrorFailed();
    isStandbyInUse = open.isStandbyInUse();
    disk = null;
    open.close();
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
      OpenRequest next = next(asked);
      OpenDisk opened = reopened(next);
      hasMirrorFailed &= asked.secondary().isEmpty();
      become(opened, next);
      releaseRam();
      resumeRings(opened);
    } catch (IOException e) {
      throw DiskException.of(e);
    } finally {
      lock.unlock();
    }
  }

  /**
   * What to open. A mirror that failed missed something: it is none again until somebody says so. A
   * standby image in use shadows the image: another one below it would be another disk.
   */
  private OpenRequest next(ResumeRequest asked) throws DiskException {
    OpenRequest before = requested();
    boolean isOther = asked.name().isPresent() && !asked.name().get().equals(before.name());
    if (isStandbyInUse && (isOther || asked.secondary().isPresent())) {
      throw trouble(
          Errno.EINVAL,
          "has written to its standby image "
              + before.secondary().orElse("")
              + ", and cannot go on from other ones; close it and open those");
    }
    OpenRequest next = asked.applyTo(before);
    boolean isStale = hasMirrorFailed && asked.secondary().isEmpty();
    return isStale ? next.withSecondary(OpenRequest.NO_SECONDARY) : next;
  }

  private OpenDisk reopened(OpenRequest next) throws IOException {
    boolean isRight = false;
    try {
      OpenDisk opened = opened(next);
      try {
        if (!known().mayBecome(opened.info())) {
          throw trouble(
              Errno.EMEDIUMTYPE,
              "cannot go on from "
                  + next.name()
                  + ": that is "
                  + opened.info()
                  + ", and its guests"
                  + " know "
                  + info);
        }
        isRight = true;
        return opened;
      } finally {
        if (!isRight) {
          opened.close();
        }
      }
    } finally {
      if (!isRight) {
        state.change(DiskState.RESUME_FAILED, 0);
      }
    }
  }

  /** One ring's trouble is not the others'. */
  private void resumeRings(OpenDisk open) throws IOException {
    IOException failure = null;
    for (ServedRing served : rings) {
      try {
        if (served.isServing()) {
          served.ring().resume(counted(open));
        }
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private void releaseRam() throws IOException {
    BlockDevice held = heldRam;
    heldRam = null;
    if (held != null) {
      held.close();
    }
  }

  /**
   * Makes the disk larger while guests use it; they must be told by whoever told them the size.
   *
   * @param sectors of 512 bytes
   * @throws DiskException EINVAL if it would shrink or is read-only, ENOSYS if the format cannot
   */
  public DiskInfo grow(long sectors) throws DiskException {
    lock.lock();
    try {
      requireOpen();
      OpenDisk open = running();
      if (sectors < 0 || sectors > Long.MAX_VALUE / DiskInfo.SECTOR) {
        throw trouble(Errno.EINVAL, "cannot have " + sectors + " sectors");
      }
      quiesce();
      try {
        open.grow(sectors * DiskInfo.SECTOR);
      } finally {
        info = open.info();
        resumeRings(open);
      }
      return open.info();
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
      IOException failure = null;
      for (ServedRing served : rings) {
        failure = closed(() -> served.ring().close(), failure);
      }
      rings.clear();
      OpenDisk open = disk;
      if (open != null) {
        failure = closed(() -> closeImages(open), failure);
      }
      failure = closed(this::releaseRam, failure);
      forget();
      if (failure != null && !isForced) {
        throw DiskException.of(failure);
      }
    } finally {
      lock.unlock();
    }
  }

  private static @Nullable IOException closed(Closeable part, @Nullable IOException failure) {
    try {
      part.close();
    } catch (IOException e) {
      if (failure == null) {
        return e;
      }
      failure.addSuppressed(e);
    }
    return failure;
  }

  private void forget() {
    OpenRequest before = request;
    if (before != null) {
      before.key().ifPresent(DiskKey::close);
    }
    request = null;
    info = null;
    state.become(DiskState.CLOSED);
  }

  /** Ends it; EBUSY if it is open. */
  public void detach() throws DiskException {
    lock.lock();
    try {
      requireAttached();
      if (request != null) {
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
    if (request == null) {
      throw trouble(Errno.EINVAL, "is not open");
    }
  }

  private OpenDisk running() throws DiskException {
    OpenDisk open = disk;
    if (open == null) {
      throw trouble(Errno.EAGAIN, "is paused");
    }
    return open;
  }

  private OpenRequest requested() {
    return Objects.requireNonNull(request);
  }

  private DiskInfo known() {
    return Objects.requireNonNull(info);
  }

  private DiskException trouble(Errno errno, String what) {
    return new DiskException(errno, "disk " + minor + " " + what);
  }
}
