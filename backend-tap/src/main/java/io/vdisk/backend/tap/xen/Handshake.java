package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a back end does for each state of both sides. Nothing here is remembered that the store has,
 * but for what changes tell. One thread at a time.
 */
final class Handshake {
  private static final Logger LOG = System.getLogger(XenDisk.class.getName());

  /** The node by which an administrator makes a disk larger: its bytes. */
  private static final String SIZE = "vdisk-size";

  /** The node in which xentop finds whose files it is to read. */
  private static final String PROCESS = "kthread-pid";

  private final OwnNodes own;
  private final GuestDisk disk;
  private final Troubles troubles;

  private XenbusState lastFront = XenbusState.UNKNOWN;
  private boolean hasLooked;
  private long refusedSectors;

  Handshake(OwnNodes own, GuestDisk disk, Troubles troubles) {
    this.own = own;
    this.disk = disk;
    this.troubles = troubles;
  }

  /**
   * Does what is next.
   *
   * @param seen the back end's state
   * @param other the front end's state
   * @param isRefused whether this was tried, and failed
   */
  void follow(
      XenbusState seen,
      XenbusState other,
      BackendNodes said,
      FrontendNodes front,
      boolean isRefused)
      throws IOException {
    boolean isFirst = !hasLooked;
    boolean isAnew = lastFront == XenbusState.CONNECTED && other == XenbusState.INITIALISED;
    hasLooked = true;
    lastFront = other;
    if (other == XenbusState.CLOSED) {
      close(seen, said);
    } else if (seen == XenbusState.CLOSING || other == XenbusState.CLOSING) {
      closing(seen, other, said, front, isFirst);
    } else if (isRefused) {
      return;
    } else if (other == XenbusState.INITIALISING) {
      begin(seen, said);
    } else if (other.hasRing() && seen != XenbusState.CLOSED) {
      connect(seen, said, front.rings(), isFirst, isAnew);
    }
  }

  /** The front end is about to make its rings, for the first time or anew. */
  private void begin(XenbusState seen, BackendNodes said) throws IOException {
    boolean isBegun = seen == XenbusState.INIT_WAIT && disk.isOpen() && !disk.isConnected();
    if (isBegun || (seen == XenbusState.CLOSED && !isOnline())) {
      return;
    }
    disk.disconnect();
    open(said);
    boolean unused = own.write(seen, Announcement.beforeRings(disk.mostQueues()));
  }

  /** Whether the toolstack wants the device to be there, or come again. */
  private boolean isOnline() throws IOException {
    return !own.nodes().find("online").orElse("1").equals("0");
  }

  private void open(BackendNodes said) throws IOException {
    if (!disk.isOpen()) {
      disk.open(said);
      LOG.log(Level.INFO, "{0}: {1}, mode {2}: open", own.device(), said.params(), said.mode());
      troubles.forget();
    }
  }

  /** The front end has rings. */
  private void connect(
      XenbusState seen, BackendNodes said, List<XenRing> rings, boolean isFirst, boolean isAnew)
      throws IOException {
    if (disk.isConnected() && rings.equals(disk.rings()) && !isAnew) {
      if (!disk.isServing()) {
        throw new DiskException(Errno.EIO, "a ring of " + own.device() + " was given up");
      }
      grow(seen);
      return;
    }
    disk.disconnect();
    boolean isTaken = isFirst && seen == XenbusState.CONNECTED;
    if (isTaken) {
      checkOutlives(said);
    }
    open(said);
    disk.connect(rings);
    tellProcess(seen);
    if (isTaken) {
      tellOfChangedSize(seen); // another process told the rest
    } else {
      boolean unused = own.write(seen, Announcement.withRings(said, disk.info()));
    }
  }

  /** What a guest wrote to a disk in memory is not there for the process that takes over. */
  private static void checkOutlives(BackendNodes said) throws DiskException {
    if (ImageName.isOfMemory(said.params())) {
      throw new DiskException(
          Errno.EIO, StoreText.shown(said.params()) + " was lost with the process that served it");
    }
  }

  /** Before the state that lets the guest begin, so that xentop does not miss what it asks. */
  private void tellProcess(XenbusState seen) throws IOException {
    OptionalLong process = disk.counter();
    String pid = Long.toString(process.orElse(0));
    if (process.isPresent() && !own.nodes().find(PROCESS).equals(Optional.of(pid))) {
      boolean unused = own.write(seen, Map.of(PROCESS, pid));
    }
  }

  private void tellOfChangedSize(XenbusState seen) throws IOException {
    String known = own.nodes().find("sectors").orElse("");
    if (!known.equals(Long.toString(disk.info().sectors()))) {
      boolean unused = own.write(seen, Announcement.ofSize(disk.info()));
    }
  }

  /** What is wrong with the wish is told, and the disk stays as it is. */
  private void grow(XenbusState seen) throws IOException {
    try {
      OptionalLong asked = own.nodes().number(SIZE, DiskInfo.SECTOR, Long.MAX_VALUE);
      long sectors = asked.orElse(0) / DiskInfo.SECTOR;
      if (sectors != 0 && sectors != disk.info().sectors() && sectors != refusedSectors) {
        refusedSectors = sectors; // until it is done
        DiskInfo grown = disk.grow(sectors);
        refusedSectors = 0;
        LOG.log(Level.INFO, "{0}: has {1} sectors now", own.device(), grown.sectors());
        boolean unused = own.write(seen, Announcement.ofSize(grown));
      }
    } catch (DiskException e) {
      troubles.tell(e);
    }
  }

  /** One side wants to end. The ring is served until the front end has let go of it. */
  private void closing(
      XenbusState seen, XenbusState other, BackendNodes said, FrontendNodes front, boolean isFirst)
      throws IOException {
    if (other == XenbusState.INITIALISING || other == XenbusState.INIT_WAIT) {
      close(seen, said); // it has no ring
      return;
    }
    if (isFirst && mayBeConnected(seen) && mayBeConnected(other)) {
      checkOutlives(said);
      open(said); // another process served the ring, and the guest may still use it
      disk.connect(front.rings());
      tellProcess(seen);
    }
    if (seen != XenbusState.CLOSING) {
      boolean unused = own.write(seen, XenbusState.CLOSING);
    }
  }

  private static boolean mayBeConnected(XenbusState side) {
    return side == XenbusState.CONNECTED || side == XenbusState.CLOSING;
  }

  /**
   * Nothing is left to be served. Whoever sees that the device is closed may use the image: what a
   * process that was killed answered is in it by then, or it is told why not, and stays kept.
   */
  void close(XenbusState seen, BackendNodes said) throws IOException {
    if (seen != XenbusState.CLOSED && !disk.isOpen()) {
      writeWhatIsKept(said);
    }
    release();
    if (seen != XenbusState.CLOSED) {
      boolean unused = own.write(seen, XenbusState.CLOSED);
    }
  }

  private void writeWhatIsKept(BackendNodes said) throws IOException {
    try {
      if (disk.hasKept(said)) {
        open(said);
      }
    } catch (StoreException e) {
      throw e;
    } catch (IOException e) {
      troubles.tell(e);
    }
  }

  /** Lets go of the rings, and closes the image; what that says is told. */
  void release() throws IOException {
    boolean wasOpen = disk.isOpen();
    try {
      disk.close();
      if (wasOpen) {
        LOG.log(Level.INFO, "{0}: closed", own.device());
      }
    } catch (DiskException e) {
      troubles.tell(e);
    }
  }

  /** What was tried failed: the front end is told to close if it waits for this side. */
  void fail(XenbusState other) throws IOException {
    release();
    XenbusState seen = own.state().orElse(XenbusState.CLOSED);
    boolean isInUse = other.hasRing() || other == XenbusState.CLOSING;
    XenbusState next = isInUse ? XenbusState.CLOSING : XenbusState.CLOSED;
    if (seen != XenbusState.CLOSED) {
      Map<String, String> nodes = Announcement.ofFailure(troubles.last(), next);
      boolean unused = own.write(seen, nodes);
    }
  }
}
