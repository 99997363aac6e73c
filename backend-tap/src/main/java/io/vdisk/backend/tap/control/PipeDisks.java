package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.FirstFailure;
import io.vdisk.backend.tap.disk.LastClosings;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The disks of a tapdisk of blktap 1, by cookie, and their devices. One thread opens, connects and
 * closes them; another may close all while that one waits for a disk.
 */
final class PipeDisks {
  private final Disks disks;
  private final BlktapDevices devices;
  private final Map<Integer, Served> served = new ConcurrentHashMap<>();
  private volatile boolean isEnding;

  /** A disk, and the minor of its device once it has one. Whoever changes it holds its monitor. */
  private static final class Served {
    final String name;
    final ControlledDisk disk;
    OptionalInt minor = OptionalInt.empty();

    Served(String name, ControlledDisk disk) {
      this.name = name;
      this.disk = disk;
    }
  }

  PipeDisks(Disks disks, BlktapDevices devices) {
    this.disks = disks;
    this.devices = devices;
  }

  boolean isEmpty() {
    return served.isEmpty();
  }

  /**
   * Opens a disk.
   *
   * @throws DiskException with EEXIST if there is one of this cookie; what the image says
   */
  DiskInfo open(int cookie, String name, boolean isReadOnly) throws DiskException {
    if (served.containsKey(cookie)) {
      throw new DiskException(Errno.EEXIST, "cookie " + cookie + " again");
    }
    Served one = new Served(name, disks.attach(cookie));
    synchronized (one) {
      served.put(cookie, one); // before it is opened, so that it is waited for at the end
      try {
        if (isEnding) {
          throw new DiskException(Errno.EINTR, "the process ends");
        }
        return one.disk.open(
            isReadOnly ? OpenRequest.of(name, OpenFlag.READ_ONLY) : OpenRequest.of(name));
      } catch (DiskException e) {
        served.remove(cookie);
        one.disk.detach();
        throw e;
      }
    }
  }

  /**
   * Serves the device of a minor from a disk.
   *
   * @throws DiskException with EINVAL if there is no such disk, or it has one
   */
  void connect(int cookie, int minor) throws DiskException {
    Served one = served.get(cookie);
    if (one == null || one.minor.isPresent()) {
      throw new DiskException(Errno.EINVAL, "no disk waits for minor " + minor);
    }
    synchronized (one) {
      devices.connect(minor, one.disk);
      one.minor = OptionalInt.of(minor);
    }
  }

  /** Closes a disk and lets go of it, whatever fails. Harmless if it is not there. */
  void close(int cookie) throws IOException {
    Served one = served.get(cookie);
    if (one != null) {
      close(cookie, one);
    }
  }

  private void close(int cookie, Served one) throws IOException {
    synchronized (one) {
      if (served.get(cookie) == one) { // else the other thread closed it
        FirstFailure failure = new FirstFailure();
        if (one.minor.isPresent()) {
          failure.run(() -> devices.disconnect(one.minor.getAsInt()));
        }
        failure.run(() -> one.disk.close(false));
        failure.run(one.disk::detach);
        served.remove(cookie);
        failure.check();
      }
    }
  }

  /** Begins to close all; those that come later are refused. */
  LastClosings closeAll(Duration patience) {
    isEnding = true;
    LastClosings closings = new LastClosings(patience);
    served.forEach((cookie, one) -> closings.begin(one.name, () -> close(cookie, one)));
    return closings;
  }
}
