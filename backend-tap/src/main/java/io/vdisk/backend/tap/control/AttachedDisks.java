package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.FirstFailure;
import io.vdisk.backend.tap.disk.LastClosings;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The disks of one process, by minor. Any thread may call. */
final class AttachedDisks {
  /** A minor, its lock and its disk. Whoever changes the disk holds this object's monitor. */
  record Attached(int minor, ProcessLock marker, ControlledDisk disk) {}

  private final Minors minors;
  private final Disks disks;
  private final Map<Integer, Attached> attached = new TreeMap<>();
  private boolean hadSome;

  AttachedDisks(Minors minors, Disks disks) {
    this.minors = minors;
    this.disks = disks;
  }

  /**
   * Attaches a minor.
   *
   * @throws DiskException with EEXIST if this process has it, with EBUSY if another has
   */
  synchronized void attach(int minor) throws DiskException {
    if (attached.containsKey(minor)) {
      throw new DiskException(Errno.EEXIST, "minor " + minor + " is attached already");
    }
    ProcessLock marker = lock(minor);
    try {
      attached.put(minor, new Attached(minor, marker, disks.attach(minor)));
      hadSome = true;
    } finally {
      if (!attached.containsKey(minor)) {
        marker.close();
      }
    }
  }

  private ProcessLock lock(int minor) throws DiskException {
    try {
      return minors.attach(minor);
    } catch (DiskException e) {
      if (!e.is(Errno.EAGAIN)) {
        throw e;
      }
      throw new DiskException(Errno.EBUSY, "minor " + minor + " is attached to another process", e);
    }
  }

  /** Detaches a disk, whose monitor the caller holds. */
  void detach(Attached one) throws DiskException {
    one.disk().detach();
    synchronized (this) {
      attached.remove(one.minor());
      one.marker().close();
    }
  }

  synchronized Optional<Attached> find(int minor) {
    return Optional.ofNullable(attached.get(minor));
  }

  /** All, by minor. */
  synchronized List<Attached> all() {
    return new ArrayList<>(attached.values());
  }

  /** Whether there was one, and there is none. */
  synchronized boolean isLastGone() {
    return hadSome && attached.isEmpty();
  }

  synchronized boolean isEmpty() {
    return attached.isEmpty();
  }

  /** Begins to close and to detach all, whatever else is being done to one of them. */
  LastClosings closeAll(Duration patience) {
    LastClosings closings = new LastClosings(patience);
    for (Attached one : all()) {
      String name = one.disk().name().map(disk -> " (" + disk + ")").orElse("");
      closings.begin("minor " + one.minor() + name, () -> close(one));
    }
    return closings;
  }

  private void close(Attached one) throws IOException {
    synchronized (one) {
      if (find(one.minor()).filter(one::equals).isPresent()) { // else a client detached it
        FirstFailure failure = new FirstFailure();
        failure.run(() -> one.disk().close(false));
        failure.run(() -> detach(one));
        failure.check();
      }
    }
  }
}
