package io.vdisk.backend.tap.xen;

import com.google.common.io.Closer;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.GuestQueues;
import io.vdisk.backend.tap.RequestStatistics;
import io.vdisk.backend.tap.ServeOptions;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.disk.ServedRing;
import io.vdisk.backend.tap.disk.TapDisk;
import io.vdisk.backend.tap.disk.XenGuest;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The image of one device, and the rings of its guest. One thread at a time. */
final class GuestDisk implements Closeable {
  private final BackendDevice device;
  private final XenHost host;
  private final XenGuest guest;

  private @Nullable TapDisk disk; // null: not open
  private List<XenRing> rings = List.of();
  private final List<ServedRing> served = new ArrayList<>();

  GuestDisk(XenHost host, BackendDevice device) {
    this.host = host;
    this.device = device;
    this.guest = new XenGuest(device.domain(), device.device(), ServeOptions.WATCH_NANOSECONDS);
  }

  boolean isOpen() {
    return disk != null;
  }

  boolean isConnected() {
    return !rings.isEmpty();
  }

  /** Where the guest's rings are that are served. */
  List<XenRing> rings() {
    return rings;
  }

  /** Whether no ring was given up. */
  boolean isServing() {
    return served.stream().allMatch(ServedRing::isServing);
  }

  /** How many rings the guest may have. The disk is open. */
  int mostQueues() throws IOException {
    return openDisk().isSerial() ? 1 : host.options().mostQueues();
  }

  /** What the guest is told. The disk is open. */
  DiskInfo info() throws IOException {
    return openDisk().info();
  }

  private TapDisk openDisk() {
    return Objects.requireNonNull(disk, "not open");
  }

  /** Opens the image, unless it is. */
  void open(BackendNodes said) throws IOException {
    if (disk == null) {
      TapDisk made = new TapDisk(device.device(), host.options().diskPolicy(), host.rams());
      DiskInfo unused = made.open(said.request());
      disk = made;
    }
  }

  /** Whether a process that was killed may have left what opening the image writes to it. */
  boolean hasKept(BackendNodes said) throws IOException {
    return !said.isReadOnly() && host.options().diskPolicy().hasKept(said.request());
  }

  /** Serves the guest's rings, all or none. The disk is open. */
  void connect(List<XenRing> asked) throws IOException {
    boolean isWhole = false;
    Closer unserved = Closer.create();
    try {
      List<TapTransport> transports = new ArrayList<>();
      for (XenRing ring : asked) {
        transports.add(unserved.register(host.connector().connect(ring)));
      }
      GuestQueues.join(transports);
      for (TapTransport transport : transports) {
        served.add(serve(transport));
      }
      rings = List.copyOf(asked);
      isWhole = true;
    } finally {
      if (!isWhole) {
        try (unserved) { // those too that are served by now, which is harmless
          disconnect();
        }
      }
    }
    if (device.isShownByXentop()) {
      host.files().add(guest, served);
    }
  }

  /** Counts what this ring is asked where somebody looks at it. */
  private ServedRing serve(TapTransport transport) throws IOException {
    return device.isShownByXentop()
        ? openDisk().serve(transport, guest)
        : openDisk().serve(transport);
  }

  /** The process in whose files xentop finds what was asked; empty where it does not look. */
  OptionalLong counter() {
    return device.isShownByXentop() ? OptionalLong.of(host.files().pid()) : OptionalLong.empty();
  }

  /** Makes the disk larger. It is open. */
  DiskInfo grow(long sectors) throws IOException {
    return openDisk().grow(sectors);
  }

  /** Answers what was taken, and lets go of the rings. */
  void disconnect() throws IOException {
    rings = List.of();
    Closer all = Closer.create();
    served.forEach(all::register);
    try {
      all.close();
    } finally {
      forgetRings();
    }
  }

  private void forgetRings() {
    served.forEach(host.files()::remove);
    served.clear();
  }

  /** What was asked of the disk; empty if it is not open. */
  Optional<RequestStatistics.Snapshot> requests() {
    return Optional.ofNullable(disk).map(TapDisk::requests);
  }

  /** Lets go of the rings, flushes and closes the image. Again is harmless. */
  @Override
  public void close() throws IOException {
    TapDisk open = disk;
    disk = null;
    rings = List.of();
    try {
      if (open != null) {
        open.close(false); // lets go of them
      }
    } finally {
      forgetRings();
    }
  }
}
