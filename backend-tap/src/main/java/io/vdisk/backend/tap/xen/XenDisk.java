package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.Closeable;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The back end of one device: looks at what toolstack and front end wrote, and does what is next.
 *
 * <pre>
 * front end        back end
 * 1 Initialising   opens the image, writes max-ring-page-order ...      2 InitWait
 * 3 Initialised    maps the rings, writes feature-..., sectors ...      4 Connected
 * 4 Connected
 * 5 Closing        goes on serving                                      5 Closing
 * 6 Closed         lets go of the rings, closes the image               6 Closed
 * 1 Initialising   begins again
 * </pre>
 *
 * <p>A back end that finds 4 and 4 goes on with the ring that another process served, and writes
 * nothing, but where xentop finds its statistics. Every write is part of a transaction that first
 * looks whether the state is still the one that was seen, so that nodes that were removed are not
 * made again, and a toolstack's wish to close is not written over.
 *
 * <p>What fails is this device's: it is told in the log, in {@code hotplug-error} and where the
 * kernel's back ends tell it; the front end is told to close, and not left waiting. But an image
 * that is open elsewhere is waited for: where a guest migrates, the side that it leaves closes it
 * when this one has begun.
 *
 * <p>One thread at a time.
 */
public final class XenDisk implements Closeable {
  /** What was tried in vain: not again before something changes. */
  private record Attempt(BackendNodes said, XenbusState front) {}

  /** So often, a tick each, an image is tried that is open elsewhere: for half a minute. */
  static final int MOST_TRIES = 15;

  private final XenHost host;
  private final BackendDevice device;
  private final Runnable poke;
  private final GuestDisk disk;
  private final OwnNodes own;
  private final Troubles troubles;
  private final Handshake handshake;
  private final StatisticsNode statistics = new StatisticsNode();

  private @Nullable BackendNodes said; // what the open image was opened for
  private @Nullable StoreWatch frontWatch;
  private @Nullable Closeable lock;
  private @Nullable Attempt attempt; // of this look
  private @Nullable Attempt refused;
  private boolean isGone;
  private int tries; // of an image that is open elsewhere

  /**
   * A device that is not looked at yet.
   *
   * @param poke called by another thread when {@link #step} is to be called
   */
  public XenDisk(XenHost host, BackendDevice device, Runnable poke) {
    this.host = host;
    this.device = device;
    this.poke = poke;
    this.disk = new GuestDisk(host, device);
    this.own = new OwnNodes(host.store(), device);
    this.troubles = new Troubles(host.store(), device);
    this.handshake = new Handshake(own, disk, troubles);
  }

  /** Whether its nodes have been removed, and nothing is left to be done. */
  public boolean isGone() {
    return isGone;
  }

  /** Whether a guest is served. */
  public boolean isConnected() {
    return disk.isConnected();
  }

  /**
   * Looks at both sides, and does what is next. Once more is harmless.
   *
   * @throws IOException if the store refuses, or cannot be reached any longer
   */
  public void step() throws IOException {
    attempt = null;
    try {
      look();
      tries = 0;
    } catch (IOException | RuntimeException | InternalError e) { // that, where a ring is cut short
      if (host.store().ended().isDone()) {
        throw e;
      }
      troubles.tell(e);
      if (attempt != null && !mayTryAgain(e)) {
        refused = attempt;
        handshake.fail(attempt.front());
      }
    }
    if (!disk.isOpen()) {
      said = null;
    }
  }

  /** Whoever attached the disk by hand is told at once instead. */
  private boolean mayTryAgain(Throwable failure) {
    boolean isInUse =
        failure instanceof IOException e && DiskException.of(e).is(Errno.EBUSY) && !disk.isOpen();
    tries = isInUse && !device.isMadeByBlockAttach() ? Math.max(tries, 1) : 0;
    return tries > 0 && tries <= MOST_TRIES;
  }

  /**
   * What is to be done from time to time: tells what was asked of the disk; looks if a ring was
   * given up, or another process may have let go of the device or of its image.
   */
  public void tick() throws IOException {
    if (tries > 0) {
      tries++;
      step();
    } else if (!disk.isServing() || lock == null) {
      step();
    }
    if (disk.isConnected()) {
      Optional<Map<String, String>> changed = statistics.changed(disk.requests());
      if (changed.isPresent()) {
        boolean unused = own.write(XenbusState.CONNECTED, changed.get());
      }
    }
  }

  private void look() throws IOException {
    Optional<XenbusState> seen = own.state();
    if (seen.isEmpty()) {
      vanish();
      return;
    }
    isGone = false; // others were made in their place
    if (seen.get() == XenbusState.INITIALISING) {
      forgetOthers();
    }
    Optional<BackendNodes> nodes = readNodes(seen.get());
    if (nodes.isEmpty() || !takeLock()) {
      return;
    }
    FrontendNodes front = watched(nodes.get());
    Optional<XenbusState> other = front.state();
    if (other.isEmpty() || hasDied()) {
      frontHasGone(seen.get(), nodes.get());
      return;
    }
    Attempt next = new Attempt(nodes.get(), other.get());
    attempt = next;
    if (!next.equals(refused)) {
      refused = null;
    }
    said = nodes.get();
    handshake.follow(seen.get(), other.get(), nodes.get(), front, refused != null);
  }

  /** A toolstack just made the nodes: what was done, or failed, was for others in their place. */
  private void forgetOthers() throws IOException {
    refused = null;
    if (disk.isOpen()) {
      handshake.release();
      said = null;
    }
  }

  /** What the toolstack says; empty if it makes no sense yet. An open image keeps its own. */
  private Optional<BackendNodes> readNodes(XenbusState seen) throws IOException {
    try {
      if (seen == XenbusState.UNKNOWN) {
        throw new DiskException(Errno.EINVAL, device.path() + "/state is no state of a device");
      }
      BackendNodes read = BackendNodes.read(host.store(), device);
      if (said != null && !said.equals(read)) {
        troubles.tell(device.path() + " was changed while the disk is open, which stays as it was");
      }
      return Optional.of(said == null ? read : said);
    } catch (DiskException e) {
      troubles.tell(e);
      return Optional.ofNullable(said);
    }
  }

  private boolean takeLock() throws IOException {
    if (lock == null) {
      lock = host.locks().take(device).orElse(null);
      if (lock == null) {
        troubles.tell("another process serves this device");
      }
    }
    return lock != null;
  }

  private FrontendNodes watched(BackendNodes nodes) throws IOException {
    String path = nodes.frontend() + "/state";
    if (frontWatch == null || !frontWatch.path().equals(path)) {
      endWatch();
      frontWatch = host.store().watch(path, poke);
    }
    return new FrontendNodes(host.store(), device, nodes.frontend(), host.options().mostQueues());
  }

  private void endWatch() throws IOException {
    StoreWatch watch = frontWatch;
    frontWatch = null;
    if (watch != null) {
      watch.close();
    }
  }

  private boolean hasDied() throws IOException {
    return disk.isConnected()
        && device.domain() != device.host()
        && !host.store().isIntroduced(device.domain());
  }

  private void frontHasGone(XenbusState seen, BackendNodes nodes) throws IOException {
    if (seen != XenbusState.INITIALISING || disk.isOpen()) { // else it may still come
      handshake.close(seen, nodes);
    }
    boolean isOurs = device.isMadeByBlockAttach(); // no toolstack removes it
    if (isOurs && host.store().find("/local/domain/" + device.domain()).isEmpty()) {
      host.store().remove(device.path());
      vanish();
    }
  }

  /** Its nodes have been removed. */
  private void vanish() throws IOException {
    handshake.release();
    isGone = true;
    troubles.forget();
    endWatch();
    giveLockBack();
  }

  private void giveLockBack() throws IOException {
    if (lock != null) {
      lock.close();
      lock = null;
    }
  }

  /**
   * Answers what was taken, flushes and closes the image. The nodes stay as they are, so that
   * another process can go on.
   */
  @Override
  public void close() throws IOException {
    try {
      disk.close();
    } finally {
      giveLockBack();
    }
  }
}
