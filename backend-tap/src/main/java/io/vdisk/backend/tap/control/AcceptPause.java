package io.vdisk.backend.tap.control;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/**
 * What a server does where the host lets it let nobody in, for want of descriptors say: it says so
 * once, and looks again ten times a second. One thread.
 */
final class AcceptPause {
  private static final Logger LOG = System.getLogger(AcceptPause.class.getName());
  private static final long NANOSECONDS = 100_000_000;

  private final Path socket;
  private boolean isTold;

  AcceptPause(Path socket) {
    this.socket = socket;
  }

  /** Nobody was let in; returns when it is time to try again. */
  void await(IOException reason) {
    if (!isTold) {
      LOG.log(Level.WARNING, socket + ": nobody is let in for now", reason);
    }
    isTold = true;
    LockSupport.parkNanos(NANOSECONDS);
  }

  /** Somebody was let in. */
  void end() {
    isTold = false;
  }
}
