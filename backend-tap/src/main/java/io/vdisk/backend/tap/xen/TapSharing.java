package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.util.Optional;

/**
 * Looks in the store who else has an image: a guest that writes alone must be alone. Devices of
 * which no daemon has told yet do not count, or two that come at once would refuse each other.
 *
 * <p>Source: Xen 3.4, {@code tools/blktap/lib/xenbus.c}.
 */
record TapSharing(XenStore store, BackendDevice device) {
  private static final String EXCLUSIVE = "w";

  /**
   * Checks that no other guest has an image; of what the guest itself has, the image's lock tells.
   *
   * @throws DiskException with EBUSY if one has
   */
  void check(BackendNodes nodes, TapImage image) throws IOException {
    if (!nodes.mode().equals(EXCLUSIVE)) {
      return;
    }
    for (BackendDevice other : BackendDevice.all(store, device.host(), device.type())) {
      if (!isOfSameGuest(other) && has(other, image)) {
        throw new DiskException(Errno.EBUSY, "File already in use by other domain");
      }
    }
  }

  /** A guest that is started anew is another domain, while its old one still ends. */
  private boolean isOfSameGuest(BackendDevice other) throws IOException {
    if (other.domain() == device.domain()) {
      return true;
    }
    Optional<String> guest = guest(device);
    return guest.isPresent() && guest.equals(guest(other));
  }

  private Optional<String> guest(BackendDevice one) throws IOException {
    return store.find("/local/domain/" + one.domain() + "/vm");
  }

  private boolean has(BackendDevice other, TapImage image) throws IOException {
    TapNodes nodes = TapNodes.read(store, other);
    if (!nodes.isBound()) {
      return false;
    }
    try {
      return TapImage.of(nodes.params()).isSameAs(image);
    } catch (DiskException e) {
      return false; // it was changed after it was opened, into nothing that has a file
    }
  }
}
