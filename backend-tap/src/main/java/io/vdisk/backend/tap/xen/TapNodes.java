package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The nodes of a device of blktap 1, unchecked: enough to know whether they are still the ones that
 * were seen. Immutable.
 *
 * @param said what a toolstack says, by name of the node; those that are there
 * @param status what was told last in {@code hotplug-status}; empty if nothing
 * @param isBound whether a daemon wrote {@code info}: its tapdisk serves the device
 */
record TapNodes(Map<String, String> said, String status, boolean isBound) {
  /** The type of back end. */
  static final String TYPE = "tap";

  static final String INFO = "info";
  static final String STATUS = "hotplug-status";
  static final String ERROR = "hotplug-error";

  /** Values of {@link #STATUS}. */
  static final String CONNECTED = "connected";

  static final String FAILED = "error";

  private static final String FRONTEND = "frontend";
  private static final String PARAMS = "params";
  private static final List<String> NEEDED = List.of("frontend-id", FRONTEND, "mode", PARAMS);
  private static final String PHYSICAL_DEVICE = "physical-device";

  /** Stands for what is no text. */
  private static final String NO_TEXT = "\ufffd";

  static TapNodes read(StoreNodes store, BackendDevice device) throws IOException {
    NodeFolder nodes = new NodeFolder(store, device.path());
    Map<String, String> said = new TreeMap<>();
    for (String name : NEEDED) {
      find(nodes, name).ifPresent(value -> said.put(name, value));
    }
    find(nodes, PHYSICAL_DEVICE).ifPresent(value -> said.put(PHYSICAL_DEVICE, value));
    return new TapNodes(
        Map.copyOf(said), find(nodes, STATUS).orElse(""), find(nodes, INFO).isPresent());
  }

  private static Optional<String> find(NodeFolder nodes, String name) throws IOException {
    try {
      return nodes.find(name);
    } catch (DiskException e) {
      return Optional.of(NO_TEXT);
    }
  }

  /** Whether a toolstack has the device. */
  boolean isThere() {
    return said.containsKey(FRONTEND);
  }

  /** Whether all that must be said is there; toolstacks may write one node after the other. */
  boolean isComplete() {
    return said.keySet().containsAll(NEEDED);
  }

  /** The image; empty if none is named. */
  String params() {
    return said.getOrDefault(PARAMS, "");
  }

  /** Whether it was told that this cannot be served, and neither was changed since. */
  boolean isStillRefused(TapNodes refused) {
    return said.equals(refused.said) && status.equals(FAILED);
  }
}
