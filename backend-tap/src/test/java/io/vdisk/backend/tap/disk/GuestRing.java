package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.PlayedTransport;
import io.vdisk.backend.tap.ServeOptions;
import io.vdisk.backend.tap.TapTransport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A guest's ring that a test plays: it tells what the disk did to it, and from which device it is
 * served.
 */
final class GuestRing implements Ring {
  final List<String> events = new ArrayList<>();
  BlockDevice device;
  ServeOptions options;
  boolean hasLeft;
  IOException pauseFailure;
  IOException closeFailure;
  RuntimeException closeFault;

  /** Serves the guest that the transport is. */
  static Ring start(TapTransport transport, BlockDevice device, ServeOptions options) {
    GuestRing guest = (GuestRing) ((PlayedTransport) transport).server();
    guest.events.add("start");
    guest.device = device;
    guest.options = options;
    return guest;
  }

  @Override
  public void pause() throws IOException {
    if (pauseFailure != null) {
      throw pauseFailure;
    }
    events.add("pause");
  }

  @Override
  public void resume(BlockDevice next, Optional<Path> writeLogs) {
    events.add("resume");
    device = next;
  }

  /** What its disk is given to serve. */
  TapTransport transport() {
    return new PlayedTransport(this);
  }

  @Override
  public void announceSize() {
    events.add("size");
  }

  @Override
  public boolean isServing() {
    return !hasLeft;
  }

  @Override
  public void close() throws IOException {
    events.add("close");
    if (closeFault != null) {
      throw closeFault;
    }
    if (closeFailure != null) {
      throw closeFailure;
    }
  }
}
