package io.vdisk.backend.tap.disk;

import io.vdisk.backend.tap.DiskLogs;
import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.RequestStatistics;
import io.vdisk.backend.tap.ServeOptions;
import io.vdisk.backend.tap.TapTransport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The guests of a disk: their rings, the device that these are served from while images are open,
 * and what is counted and limited over all of them. The disk's thread calls; any may ask for what
 * is counted, and for the limit.
 */
final class Guests {
  private final Ring.Start start;
  private final RateLimit limit = new RateLimit();
  private final RequestStatistics statistics = new RequestStatistics();
  private final LongAdder begun = new LongAdder();
  private final LongAdder ended = new LongAdder();
  private final List<ServedRing> rings = new CopyOnWriteArrayList<>();
  private final DiskLogs logs = new DiskLogs();
  private @Nullable GuestDevice device; // of the images that are open, or were

  Guests(Ring.Start start) {
    this.start = start;
  }

  /** How many requests and bytes of all go in a second. */
  RateLimit limit() {
    return limit;
  }

  /** What all asked. */
  RequestStatistics.Snapshot requests() {
    return statistics.snapshot();
  }

  /** How many requests are under way. */
  long outstanding() {
    long after = ended.sum(); // first, so that the difference is not negative
    return begun.sum() - after;
  }

  /** All rings, those of guests that left without a word included. */
  List<ServedRing> rings() {
    return List.copyOf(rings);
  }

  /** Images were opened: what guests are served from. */
  void become(OpenDisk open) {
    device = new GuestDevice(open.device(), logs, begun, ended);
  }

  /** All that was done is durable, and nothing more is until other images are opened. */
  void settle() throws IOException {
    device().settle();
    logs.letGo();
  }

  private GuestDevice device() {
    return Objects.requireNonNull(device, "not open");
  }

  /**
   * Begins to serve a ring.
   *
   * @param disk whose ring it is
   * @param transport stays the caller's if this fails
   * @param writeLogs how the files begin in which is kept what is written, if that is wanted
   */
  ServedRing start(
      TapDisk disk,
      OpenDisk open,
      TapTransport transport,
      Optional<XenGuest> guest,
      Optional<Path> writeLogs)
      throws IOException {
    ServeOptions options = options(open, guest);
    if (writeLogs.isPresent() && !open.keepsWrites()) {
      options = options.withWriteLogs(writeLogs.get());
    }
    closeGone();
    Ring ring = start.start(transport, device(), options);
    ServedRing served = new ServedRing(disk, ring, guest, options);
    rings.add(served);
    return served;
  }

  private ServeOptions options(OpenDisk open, Optional<XenGuest> guest) {
    RequestStatistics counted = guest.isPresent() ? new RequestStatistics(statistics) : statistics;
    ServeOptions options =
        new ServeOptions(open.isReadOnly(), open.isSerial(), limit, counted).withLogs(logs);
    return guest.isPresent() ? options.withWatch(guest.get().watchNanoseconds()) : options;
  }

  /** Lets go of one ring, if it is still there. */
  void close(ServedRing ring) throws IOException {
    if (rings.remove(ring)) {
      ring.ring().close();
    }
  }

  /** Lets go of those whose guests have left. */
  private void closeGone() throws IOException {
    for (ServedRing ring : List.copyOf(rings)) {
      if (!ring.isServing()) {
        close(ring);
      }
    }
  }

  /** Lets go of all, whatever fails. */
  void closeAll(FirstFailure failure) {
    rings.forEach(ring -> failure.run(ring.ring()::close));
    rings.clear();
    logs.forget();
  }

  /** Returns when none has a request in flight, nor takes one; those of guests that left go. */
  void pause() throws IOException {
    closeGone();
    for (ServedRing ring : rings) {
      ring.ring().pause();
    }
  }

  /**
   * All go on; one ring's trouble is not the others'.
   *
   * @param writeLogs how the files begin in which is kept what is written, if that is wanted
   */
  void resume(Optional<Path> writeLogs) throws IOException {
    FirstFailure failure = new FirstFailure();
    for (ServedRing ring : rings) {
      if (ring.isServing()) {
        failure.run(() -> ring.ring().resume(device(), writeLogs));
      }
    }
    failure.check();
  }

  /** Tells all that the disk has another size. */
  void announceSize() {
    for (ServedRing ring : rings) {
      if (ring.isServing()) {
        ring.ring().announceSize();
      }
    }
  }
}
