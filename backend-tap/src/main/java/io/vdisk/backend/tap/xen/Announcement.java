package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskInfo;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a back end tells a guest in its own nodes ({@code io/blkif.h}), in the order in which it is
 * written: what the guest must know before it makes its ring, and what it finds once that is
 * served.
 */
final class Announcement {
  /** Of an indirect request; as Linux' own back end (MAX_INDIRECT_SEGMENTS of xen-blkback). */
  private static final int MOST_SEGMENTS = 256;

  /** Bits of {@code info}. */
  private static final int CDROM = 1;

  /** Less than this at once may be kept, bytes: what a cluster of an image has at least. */
  private static final int DISCARD_GRANULARITY = 4096;

  private static final String YES = "1";

  private Announcement() {}

  static Map<String, String> beforeRings(int mostQueues) {
    Map<String, String> nodes = new LinkedHashMap<>();
    nodes.put("hotplug-status", "connected");
    nodes.put("max-ring-page-order", Integer.toString(FrontendNodes.MOST_PAGE_ORDER));
    nodes.put("multi-queue-max-queues", Integer.toString(mostQueues));
    nodes.put("feature-max-indirect-segments", Integer.toString(MOST_SEGMENTS));
    nodes.put("state", XenbusState.INIT_WAIT.value());
    return nodes;
  }

  static Map<String, String> withRings(BackendNodes said, DiskInfo disk) {
    Map<String, String> nodes = new LinkedHashMap<>();
    nodes.put("feature-flush-cache", YES);
    nodes.put("feature-barrier", YES);
    if (said.mayDiscard() && !said.isReadOnly()) {
      nodes.put("feature-discard", YES);
      nodes.put("discard-granularity", Integer.toString(DISCARD_GRANULARITY));
      nodes.put("discard-alignment", "0");
    }
    nodes.put("feature-persistent", YES);
    nodes.put("sectors", Long.toString(disk.sectors()));
    nodes.put("sector-size", Integer.toString(disk.sectorSize()));
    nodes.put("physical-sector-size", Integer.toString(disk.sectorSize()));
    nodes.put("info", Integer.toString(disk.info() | (said.isCdrom() ? CDROM : 0)));
    nodes.put("state", XenbusState.CONNECTED.value());
    return nodes;
  }

  /** A guest that is connected looks at the sectors when the state is written again. */
  static Map<String, String> ofSize(DiskInfo disk) {
    Map<String, String> nodes = new LinkedHashMap<>();
    nodes.put("sectors", Long.toString(disk.sectors()));
    nodes.put("state", XenbusState.CONNECTED.value());
    return nodes;
  }

  /** Why there is no disk: where toolstacks look for it. */
  static Map<String, String> ofFailure(String reason, XenbusState state) {
    Map<String, String> nodes = new LinkedHashMap<>();
    nodes.put("hotplug-error", reason);
    nodes.put("hotplug-status", "error");
    nodes.put("state", state.value());
    return nodes;
  }
}
