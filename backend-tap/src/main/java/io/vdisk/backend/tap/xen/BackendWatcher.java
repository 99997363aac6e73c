package io.vdisk.backend.tap.xen;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the devices of some types of back end, and tells what serves them of every change. Those
 * that are there at the beginning are found, too. Any thread may call.
 */
public final class BackendWatcher implements Closeable {
  private static final Logger LOG = System.getLogger(XenDisk.class.getName());

  private static final String DOMAIN_BEGAN = "@introduceDomain";
  private static final String DOMAIN_ENDED = "@releaseDomain";
  private static final String DOMAINS = "/local/domain";

  private final XenStore store;
  private final int host;
  private final DeviceServers servers;
  private final QemuGuard guard;
  private final List<StoreWatch> watches = new ArrayList<>();

  private BackendWatcher(XenStore store, int host, DeviceServers servers, QemuGuard guard) {
    this.store = store;
    this.host = host;
    this.servers = servers;
    this.guard = guard;
  }

  /**
   * Begins to watch.
   *
   * @param host the domain of this program
   * @param servers stay the caller's
   */
  public static BackendWatcher begin(
      XenStore store, int host, List<String> types, DeviceServers servers) throws IOException {
    return begin(store, host, types, servers, QemuGuard.ofHost(store, host));
  }

  static BackendWatcher begin(
      XenStore store, int host, List<String> types, DeviceServers servers, QemuGuard guard)
      throws IOException {
    BackendWatcher watcher = new BackendWatcher(store, host, servers, guard);
    for (String type : types) {
      String path = BackendDevice.typePath(host, type);
      watcher.watches.add(store.watch(path, changed -> watcher.changed(type, changed)));
    }
    if (types.contains(BackendDevice.QDISK)) {
      watcher.watches.add(store.watch(DOMAIN_BEGAN, changed -> watcher.claimDomains()));
    }
    watcher.watches.add(store.watch(DOMAIN_ENDED, changed -> servers.lookAtAll()));
    return watcher;
  }

  /** A watcher's thread tells of a path; the type's own, or a domain's, mean all below. */
  private void changed(String type, String path) {
    try {
      BackendDevice device = BackendDevice.of(path).orElse(null);
      if (device == null) {
        lookBelow(type);
        servers.lookAtAll();
      } else if (!path.equals(device.path() + "/" + StatisticsNode.NAME)) {
        look(device);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // ends the connection
    }
  }

  private void claimDomains() {
    try {
      for (String domain : store.children(DOMAINS)) {
        if (domain.matches("[0-9]{1,5}")) {
          alone("domain " + domain, () -> guard.claim(Integer.parseInt(domain)));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // ends the connection
    }
  }

  private void lookBelow(String type) throws IOException {
    for (BackendDevice device : BackendDevice.all(store, host, type)) {
      look(device);
    }
  }

  private void look(BackendDevice device) throws IOException {
    alone(
        device.toString(),
        () -> {
          if (!guard.isServedByQemu(device) && !isOfTapback(device)) {
            servers.look(device);
          }
        });
  }

  private interface Step {
    void run() throws IOException;
  }

  /** Does something for one: if what its nodes hold is no text, that is nothing to the others. */
  private static void alone(String whose, Step step) throws IOException {
    try {
      step.run();
    } catch (StoreException e) {
      if (e.is(StoreException.EIO)) {
        throw e;
      }
      LOG.log(Level.WARNING, "{0}: {1}", whose, e.getMessage());
    }
  }

  /** Its type is both: what says that it is ours is what {@link GuestDevices} writes. */
  private boolean isOfTapback(BackendDevice device) throws IOException {
    return device.type().equals(BackendDevice.VBD3)
        && store.find(device.path() + "/state").isPresent()
        && !store.find(device.path() + "/type").equals(Optional.of(BackendDevice.VDISK));
  }

  @Override
  public void close() throws IOException {
    for (StoreWatch watch : watches) {
      watch.close();
    }
    watches.clear();
  }
}
