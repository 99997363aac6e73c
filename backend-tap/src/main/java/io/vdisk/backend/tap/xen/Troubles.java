package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/**
 * Tells what is wrong with a device, each once: in the log, and in the node {@code error} where the
 * kernel's back ends have it. One thread at a time.
 */
final class Troubles {
  private static final Logger LOG = System.getLogger(XenDisk.class.getName());

  private final XenStore store;
  private final BackendDevice device;
  private String last = "";
  private boolean isForgotten; // what a process before this one told, too

  Troubles(XenStore store, BackendDevice device) {
    this.store = store;
    this.device = device;
  }

  /** The last one; empty if there is none. */
  String last() {
    return last;
  }

  /** Tells what failed; with the stack if this program is at fault. */
  void tell(Throwable failure) throws IOException {
    if (failure instanceof IOException e) {
      tell(String.valueOf(DiskException.of(e).getMessage()));
    } else {
      LOG.log(Level.ERROR, device + ": this is a fault of the program itself", failure);
      tell("the back end failed: " + failure);
    }
  }

  void tell(String sentence) throws IOException {
    String told = StoreText.told(sentence);
    if (!told.equals(last)) {
      last = told;
      LOG.log(Level.WARNING, "{0}: {1}", device, told);
      store.write(device.errorPath() + "/error", told);
    }
  }

  /** All is well again, whoever told last that it was not. */
  void forget() throws IOException {
    if (!isForgotten || !last.isEmpty()) {
      last = "";
      forget(device.errorPath());
      forget(device.path() + "/hotplug-error");
      isForgotten = true;
    }
  }

  private void forget(String node) throws IOException {
    if (store.find(node).isPresent()) {
      store.remove(node);
    }
  }
}
