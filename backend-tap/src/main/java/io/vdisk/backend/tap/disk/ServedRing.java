package io.vdisk.backend.tap.disk;

import io.vdisk.backend.tap.RequestStatistics;
import io.vdisk.backend.tap.RingCounters;
import io.vdisk.backend.tap.ServeOptions;
import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;

/** One guest's ring of a disk. Any thread may call. */
public final class ServedRing implements Closeable {
  private final TapDisk disk;
  private final Ring ring;
  private final Optional<XenGuest> guest;
  private final ServeOptions options;

  ServedRing(TapDisk disk, Ring ring, Optional<XenGuest> guest, ServeOptions options) {
    this.disk = disk;
    this.ring = ring;
    this.guest = guest;
    this.options = options;
  }

  /**
   * True until the guest left, its ring was found broken, this was closed, or the disk given up.
   */
  public boolean isServing() {
    return ring.isServing() && !disk.isGivenUp();
  }

  /** What happened at the ring so far. */
  public RingCounters.Snapshot counters() {
    return options.counters().snapshot();
  }

  /** What a guest of Xen asked so far; of other guests: what all guests of the disk asked. */
  public RequestStatistics.Snapshot requests() {
    return options.statistics().snapshot();
  }

  /** Answers what was taken, then lets go of the ring. Again is harmless. */
  @Override
  public void close() throws IOException {
    disk.leave(this);
  }

  /** If it is a guest of Xen. */
  Optional<XenGuest> guest() {
    return guest;
  }

  Ring ring() {
    return ring;
  }
}
