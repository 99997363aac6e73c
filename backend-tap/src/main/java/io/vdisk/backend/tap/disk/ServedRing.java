package io.vdisk.backend.tap.disk;

import java.io.Closeable;
import java.io.IOException;

/** One guest's ring of a disk. Any thread may call. */
public final class ServedRing implements Closeable {
  private final TapDisk disk;
  private final Ring ring;

  ServedRing(TapDisk disk, Ring ring) {
    this.disk = disk;
    this.ring = ring;
  }

  /** True until the guest left, its ring was found broken, or this was closed. */
  public boolean isServing() {
    return ring.isServing();
  }

  /** Answers what was taken, then lets go of the ring. Again is harmless. */
  @Override
  public void close() throws IOException {
    disk.leave(this);
  }

  Ring ring() {
    return ring;
  }
}
