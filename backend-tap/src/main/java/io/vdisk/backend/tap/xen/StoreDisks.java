package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.control.BlktapDaemon;
import io.vdisk.backend.tap.disk.DiskException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * The disks of a daemon that Xen's store asks for. Level-triggered: at each look the nodes of a
 * device are read, and what they say is done. One thread at a time.
 *
 * <ol>
 *   <li>A device is attached when all nodes are there that must be, and {@code info} is not.
 *   <li>What was done, or why not, is told in one transaction, if the nodes are still those that
 *       were seen: nodes that were removed are not made again.
 *   <li>A device that is served and has no {@code info} was removed, or removed and made anew.
 *   <li>A device with an {@code info} that this daemon did not write is served by the tapdisk of a
 *       daemon before it, and left alone.
 * </ol>
 *
 * <p>Source: Xen 3.4, {@code tools/blktap/lib/xenbus.c}.
 */
final class StoreDisks {
  private static final Logger LOG = System.getLogger(StoreDisks.class.getName());

  private record Served(BlktapDaemon.Attached attached, TapNodes seen) {}

  private final XenStore store;
  private final int host;
  private final BlktapDaemon daemon;
  private final Map<BackendDevice, Served> served = new HashMap<>();
  private final Map<BackendDevice, TapNodes> refused = new HashMap<>();
  private final Set<BackendDevice> left = new HashSet<>();

  StoreDisks(XenStore store, int host, BlktapDaemon daemon) {
    this.store = store;
    this.host = host;
    this.daemon = daemon;
  }

  /** Looks at all devices, those that have gone, too. */
  void lookAtAll() throws IOException {
    Set<BackendDevice> all = new LinkedHashSet<>(served.keySet());
    all.addAll(refused.keySet());
    all.addAll(left);
    all.addAll(BackendDevice.all(store, host, TapNodes.TYPE));
    for (BackendDevice device : all) {
      look(device);
    }
  }

  /**
   * Does what the nodes of a device say.
   *
   * @throws IOException if the store fails; trouble with the disk is told there, and no failure
   */
  void look(BackendDevice device) throws IOException {
    TapNodes seen = TapNodes.read(store, device);
    if (!seen.isBound()) {
      detach(device);
      left.remove(device);
    }
    if (!seen.isThere()) {
      refused.remove(device);
      left.remove(device);
    } else if (seen.isBound()) {
      leave(device, seen);
    } else if (seen.isComplete()) {
      TapNodes before = refused.get(device);
      if (before == null || !seen.isStillRefused(before)) {
        attach(device, seen);
      }
    }
  }

  private void leave(BackendDevice device, TapNodes seen) {
    Served disk = served.get(device);
    if (disk == null) {
      if (left.add(device)) {
        log(device, "the tapdisk of a blktapctrl before this one serves it; left alone");
      }
    } else if (!disk.seen().said().equals(seen.said())) {
      served.put(device, new Served(disk.attached(), seen));
      log(device, "its nodes were changed; the disk stays as it was attached");
    }
  }

  private void attach(BackendDevice device, TapNodes seen) throws IOException {
    try {
      BlktapDaemon.Attached attached = open(device);
      boolean isTold = false;
      try {
        isTold = tell(device, seen, attached.info());
      } finally {
        if (!isTold) {
          daemon.detach(attached);
        }
      }
      if (isTold) {
        served.put(device, new Served(attached, seen));
        refused.remove(device);
      }
    } catch (DiskException e) {
      refuse(device, seen, e.sentence());
    } catch (StoreException e) {
      if (e.is(StoreException.EIO)) {
        throw e;
      }
      refuse(device, seen, String.valueOf(e.getMessage()));
    }
  }

  private BlktapDaemon.Attached open(BackendDevice device) throws IOException {
    BackendNodes nodes = BackendNodes.read(store, device);
    TapImage image = TapImage.of(nodes.params());
    image.checkAccess(nodes.isReadOnly());
    new TapSharing(store, device).check(nodes, image);
    return daemon.attach(image.name(), nodes.isReadOnly(), device.domain(), device.device());
  }

  /** False if a toolstack changed the nodes meanwhile; there will be another look. */
  private boolean tell(BackendDevice device, TapNodes seen, DiskInfo info) throws IOException {
    String path = device.path() + "/";
    return store.transact(
        nodes -> {
          TapNodes now = TapNodes.read(nodes, device);
          if (now.isBound() || !now.said().equals(seen.said())) {
            return false;
          }
          if (nodes.find(path + TapNodes.ERROR).isPresent()) {
            nodes.remove(path + TapNodes.ERROR);
          }
          // The kernel waits for info, and reads the others then.
          nodes.write(path + "sectors", Long.toString(info.sectors()));
          nodes.write(path + "sector-size", Integer.toString(info.sectorSize()));
          nodes.write(path + TapNodes.INFO, Integer.toString(info.info()));
          nodes.write(path + TapNodes.STATUS, TapNodes.CONNECTED);
          return true;
        });
  }

  private void refuse(BackendDevice device, TapNodes seen, String sentence) throws IOException {
    String told = StoreText.told(sentence);
    log(device, told);
    refused.put(device, seen);
    boolean unused =
        store.transact(
            nodes -> {
              if (!TapNodes.read(nodes, device).said().equals(seen.said())) {
                return false;
              }
              nodes.write(device.path() + "/" + TapNodes.ERROR, told);
              nodes.write(device.path() + "/" + TapNodes.STATUS, TapNodes.FAILED);
              return true;
            });
  }

  private void detach(BackendDevice device) {
    Served disk = served.remove(device);
    if (disk != null) {
      try {
        daemon.detach(disk.attached());
      } catch (DiskException e) {
        log(device, e.sentence());
      }
    }
  }

  private static void log(BackendDevice device, String sentence) {
    LOG.log(Level.WARNING, "{0}: {1}", device, sentence);
  }
}
