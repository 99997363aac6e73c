package io.vdisk.backend.tap.xen;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/** The nodes of a back end, which itself and the toolstack write. Any thread may call. */
final class OwnNodes {
  private static final String STATE = "state";

  private final XenStore store;
  private final BackendDevice device;
  private final NodeFolder nodes;

  OwnNodes(XenStore store, BackendDevice device) {
    this.store = store;
    this.device = device;
    this.nodes = new NodeFolder(store, device.path());
  }

  BackendDevice device() {
    return device;
  }

  NodeFolder nodes() {
    return nodes;
  }

  /** The state; empty if the nodes are not there. */
  Optional<XenbusState> state() throws IOException {
    return XenbusState.of(nodes.find(STATE));
  }

  /**
   * Writes nodes, in this order and at once, if the state is still the one that was seen. If it is
   * not, somebody else wrote it, and there will be another look.
   */
  boolean write(XenbusState seen, Map<String, String> changed) throws IOException {
    return store.transact(
        transaction -> {
          if (!transaction.find(nodes.path() + "/" + STATE).equals(Optional.of(seen.value()))) {
            return false;
          }
          for (Map.Entry<String, String> node : changed.entrySet()) {
            transaction.write(nodes.path() + "/" + node.getKey(), node.getValue());
          }
          return true;
        });
  }

  boolean write(XenbusState seen, XenbusState next) throws IOException {
    return write(seen, Map.of(STATE, next.value()));
  }
}
