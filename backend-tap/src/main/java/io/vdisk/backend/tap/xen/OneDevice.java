package io.vdisk.backend.tap.xen;

import java.io.IOException;

/** Tells what serves one device of every change of it. Closed with the store. */
public final class OneDevice {
  private OneDevice() {}

  /** Begins to watch; the device is looked at once in any case. */
  public static void watch(XenStore store, BackendDevice device, DeviceServers servers)
      throws IOException {
    String statistics = device.path() + "/" + StatisticsNode.NAME;
    StoreWatch nodes =
        store.watch(
            device.path(),
            changed -> {
              if (!changed.equals(statistics)) {
                servers.look(device);
              }
            });
    StoreWatch domains = store.watch("@releaseDomain", changed -> servers.lookAtAll());
    assert nodes != domains;
  }
}
