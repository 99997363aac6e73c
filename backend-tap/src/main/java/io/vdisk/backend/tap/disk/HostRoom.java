package io.vdisk.backend.tap.disk;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The space that the host has for a file and that nobody needs: 2 MiB of it are left to those who
 * cannot do without, as tapdisk leaves them (block-lcache.c). Any thread may call.
 *
 * <p>The host is not asked each time: a sixteenth of what it had may be taken within a second of
 * that. So the 2 MiB are left unless others take the other fifteen within that second; and where
 * there is little room it is asked each time.
 */
final class HostRoom {
  /** Bytes that are left. */
  static final long RESERVE = 2L << 20;

  private static final int SHARE = 16;
  private static final long FRESH_NANOSECONDS = TimeUnit.SECONDS.toNanos(1);

  /** What the host says. */
  @FunctionalInterface
  interface Host {
    /** Bytes that it would give now. */
    long usableBytes() throws IOException;
  }

  private final Host host;
  private final LongSupplier clock;
  private long asked; // nanoseconds of the clock; this and the next guarded by this
  private long unasked; // bytes that may be taken yet, if that is not long ago

  /**
   * What a host has.
   *
   * @param clock nanoseconds since whenever
   */
  HostRoom(Host host, LongSupplier clock) {
    this.host = host;
    this.clock = clock;
  }

  /**
   * That of a file's file system. A block device has its space already: what is in it, only its
   * format knows.
   */
  static HostRoom of(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return new HostRoom(() -> Long.MAX_VALUE, System::nanoTime);
    }
    FileStore store = Files.getFileStore(file);
    return new HostRoom(store::getUsableSpace, System::nanoTime);
  }

  /** Whether so many bytes may be taken, which then are. */
  synchronized boolean take(long bytes) throws IOException {
    long now = clock.getAsLong();
    if (bytes > unasked || now - asked >= FRESH_NANOSECONDS) {
      long room = host.usableBytes() - RESERVE;
      asked = now;
      unasked = bytes > room ? 0 : room / SHARE;
      if (bytes > room) {
        return false;
      }
    }
    unasked = Math.max(0, unasked - bytes);
    return true;
  }
}
