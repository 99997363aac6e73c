package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/** Devices of blktap 1 that are nothing but their minors, and which of them are served. */
final class MemoryDevices implements BlktapDevices {
  final Set<Integer> created = new TreeSet<>();
  final Map<Integer, ControlledDisk> served = new ConcurrentHashMap<>();
  volatile boolean canServe = true;

  @Override
  public void check() {}

  @Override
  public synchronized int create(int domain, int device) {
    int minor = 1;
    while (created.contains(minor)) {
      minor++;
    }
    created.add(minor);
    return minor;
  }

  @Override
  public synchronized void free(int minor) {
    created.remove(minor);
  }

  @Override
  public void connect(int minor, ControlledDisk disk) throws DiskException {
    if (!canServe) {
      throw new DiskException(Errno.ENODEV, "no device " + minor);
    }
    served.put(minor, disk);
  }

  @Override
  public void disconnect(int minor) {
    served.remove(minor);
  }
}
