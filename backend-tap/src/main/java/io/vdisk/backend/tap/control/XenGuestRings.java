package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.GrantTransport;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.RingFiles;
import io.vdisk.backend.tap.disk.ServedRing;
import io.vdisk.backend.tap.disk.XenGuest;
import io.vdisk.file.host.HostSystem;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The rings of guests of Xen, through the devices of this host. Where tapdisk waits, so does this:
 * to disconnect waits for what was taken out of the ring. A disk that is closed has let go of all
 * its rings.
 *
 * <p>The pool of a message is not looked at, as tapdisk's is not: each ring has devices and threads
 * of its own. A ring is polled as long as the message says, where that has paid lately; of the
 * thresholds of idleness only 100 counts, at which tapdisk never polls.
 */
public final class XenGuestRings implements GuestRings {
  // blkif_protocol of Xen.
  private static final int NATIVE = 1;
  private static final int X86_32 = 2;
  private static final int X86_64 = 3;

  /** A share of the processors that is never idle. */
  private static final int ALL_PERCENT = 100;

  /** The longest poll: ours, far above what pays. */
  private static final int MOST_MICROSECONDS = 1_000_000;

  /** Reaches a guest; tests have their own. */
  @FunctionalInterface
  interface Connector {
    TapTransport connect(XenRing ring) throws IOException;
  }

  private record Place(int domain, int device) {}

  /** A ring that is served, or about to be. */
  private static final class Served {
    volatile @Nullable ServedRing ring;

    boolean hasGone() {
      ServedRing known = ring;
      return known != null && !known.isServing();
    }
  }

  private final Connector connector;
  private final RingFiles files;
  private final Map<Place, Served> served = new ConcurrentHashMap<>();

  /** Those of this host, if it is a Dom0. */
  public XenGuestRings(Path statistics) {
    this(XenGuestRings::ofHost, new RingFiles(statistics, ProcessHandle.current().pid()));
  }

  XenGuestRings(Connector connector, RingFiles files) {
    this.connector = connector;
    this.files = files;
  }

  private static TapTransport ofHost(XenRing ring) throws IOException {
    try {
      return GrantTransport.connect(ring);
    } catch (IOException e) {
      if (HostSystem.installed().isEmpty()) {
        throw new DiskException(Errno.EOPNOTSUPP, DiskException.of(e).sentence(), e);
      }
      throw e;
    }
  }

  @Override
  public void connect(ControlledDisk disk, GuestRing asked) throws DiskException {
    XenRing ring = ring(asked);
    XenGuest guest = new XenGuest(asked.domain(), asked.device(), watchNanoseconds(asked));
    Place place = new Place(asked.domain(), asked.device());
    forgetGone();
    Served mine = new Served();
    if (served.putIfAbsent(place, mine) != null) {
      throw new DiskException(Errno.EALREADY, "the ring of " + ring + " is connected already");
    }
    try {
      ServedRing connected = disk.serve(transport(ring), guest);
      mine.ring = connected;
      files.add(guest, List.of(connected));
    } finally {
      if (mine.ring == null) {
        served.remove(place, mine);
      }
    }
  }

  private static XenRing ring(GuestRing asked) throws DiskException {
    try {
      return new XenRing(
          asked.domain(), asked.device(), 0, asked.grants(), asked.port(), abi(asked), false);
    } catch (IllegalArgumentException e) {
      throw new DiskException(Errno.EINVAL, "no ring of a guest of Xen: " + e.getMessage(), e);
    }
  }

  private static RingAbi abi(GuestRing asked) throws DiskException {
    return switch (asked.protocol()) {
      case NATIVE -> RingAbi.ofHost();
      case X86_32 -> RingAbi.X86_32;
      case X86_64 -> RingAbi.X86_64;
      default ->
          throw new DiskException(
              Errno.EPROTONOSUPPORT,
              String.format(
                  "domain %d, device %d: no ring has the protocol %d; 1 is native, 2 x86_32, 3"
                      + " x86_64",
                  asked.domain(), asked.device(), asked.protocol()));
    };
  }

  private static long watchNanoseconds(GuestRing asked) throws DiskException {
    if (asked.pollMicroseconds() < 0 || asked.pollMicroseconds() > MOST_MICROSECONDS) {
      throw new DiskException(
          Errno.EINVAL,
          "a ring is polled for at most "
              + MOST_MICROSECONDS
              + " us, not "
              + Integer.toUnsignedString(asked.pollMicroseconds()));
    }
    return asked.pollIdlePercent() >= ALL_PERCENT
        ? 0
        : TimeUnit.MICROSECONDS.toNanos(asked.pollMicroseconds());
  }

  private TapTransport transport(XenRing ring) throws DiskException {
    try {
      return connector.connect(ring);
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(errno(e), DiskException.of(e).sentence(), e);
    }
  }

  private static Errno errno(IOException failure) {
    if (failure.getCause() instanceof NoSuchFileException) {
      return Errno.EOPNOTSUPP;
    }
    return failure.getCause() instanceof AccessDeniedException ? Errno.EACCES : Errno.EIO;
  }

  @Override
  public void disconnect(int domain, int device) throws DiskException {
    forgetGone();
    Place place = new Place(domain, device);
    Served known = served.get(place);
    ServedRing ring = known == null ? null : known.ring;
    if (known == null || ring == null || !served.remove(place, known)) {
      throw new DiskException(
          Errno.ENODEV, "no ring of domain " + domain + ", device " + device + ", is connected");
    }
    try {
      ring.close();
    } catch (IOException e) {
      throw DiskException.of(e);
    } finally {
      files.remove(ring);
    }
  }

  @Override
  public void forgetGone() {
    served.values().removeIf(Served::hasGone);
    files.removeGone();
  }

  @Override
  public void close() {
    forgetGone();
    files.close();
  }
}
