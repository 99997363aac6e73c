package io.vdisk.backend.tap.xen;

import java.io.Closeable;

/** What serves the devices that a {@link BackendWatcher} finds. Any thread may call. */
public interface DeviceServers extends Closeable {
  /** Something changed at a device, which may be new, or gone. Returns at once. */
  void look(BackendDevice device);

  /** A domain began or ended: something may have changed at each device. Returns at once. */
  void lookAtAll();

  /** To be called every second or so. Returns at once. */
  void tick();
}
