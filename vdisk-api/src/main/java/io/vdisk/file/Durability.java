package io.vdisk.file;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What the flushes of one file have in common, whoever asks for them: one at a time, none where
 * nothing was written, and none after one that failed.
 */
final class Durability {
  /** Makes what was written durable. */
  interface Flush {
    void run() throws IOException;
  }

  private final ReentrantLock turn = new ReentrantLock();
  private volatile boolean written;
  private @Nullable IOException failure; // under turn

  /**
   * To be said after each change of the file, before it returns, also if it failed half-way. Said
   * before, a flush could clear it without the change having come to the host.
   */
  void markWritten() {
    if (!written) { // a flush that clears it after this look begins after the change
      written = true;
    }
  }

  /** As {@link HostFile#flush}. */
  void flush(Flush host, String name) throws IOException {
    turn.lock();
    try {
      if (failure != null) {
        throw new HostFlushException(name + ": an earlier flush of it failed", failure);
      }
      if (written) {
        written = false;
        run(host, name);
      }
    } finally {
      turn.unlock();
    }
  }

  private void run(Flush host, String name) throws IOException {
    boolean done = false;
    try {
      host.run();
      done = true;
    } catch (ClosedChannelException e) {
      throw e; // its user closed it meanwhile; the disk has said nothing
    } catch (IOException e) {
      failure = e;
      throw new HostFlushException(name + ": the host could not make it durable", e);
    } finally {
      if (!done) {
        written = true;
      }
    }
  }
}
