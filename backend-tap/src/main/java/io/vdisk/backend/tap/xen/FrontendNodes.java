package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Where a guest says that its rings are ({@code io/blkif.h}): in {@code ring-page-order}, {@code
 * protocol}, {@code feature-persistent} and {@code multi-queue-num-queues} of its folder; and in
 * {@code ring-ref}, or {@code ring-ref0} and so on, and {@code event-channel} there or, if there
 * are several queues, in {@code queue-0} and so on.
 */
final class FrontendNodes {
  /** The order of the largest ring: 16 pages. */
  static final int MOST_PAGE_ORDER = 4;

  private static final long MOST_U32 = 0xffff_ffffL;

  private final BackendDevice device;
  private final NodeFolder nodes;
  private final int mostQueues;

  FrontendNodes(StoreNodes store, BackendDevice device, String frontend, int mostQueues) {
    this.device = device;
    this.nodes = new NodeFolder(store, frontend);
    this.mostQueues = mostQueues;
  }

  /** The state; empty if the front end has gone. */
  Optional<XenbusState> state() throws IOException {
    return XenbusState.of(nodes.find("state"));
  }

  /**
   * The rings, one for each queue.
   *
   * @throws DiskException if a node is missing or makes no sense
   */
  List<XenRing> rings() throws IOException {
    OptionalLong order = nodes.number("ring-page-order", 0, MOST_PAGE_ORDER);
    RingAbi abi = abi();
    boolean isPersistent = nodes.isSet("feature-persistent");
    int queues = (int) nodes.number("multi-queue-num-queues", 1, mostQueues).orElse(1);
    List<XenRing> rings = new ArrayList<>();
    for (int queue = 0; queue < queues; queue++) {
      NodeFolder folder = queues == 1 ? nodes : nodes.within("queue-" + queue);
      rings.add(
          new XenRing(
              device.domain(),
              device.device(),
              queue,
              grants(folder, order),
              (int) folder.neededNumber("event-channel", 0, Integer.MAX_VALUE),
              abi,
              isPersistent));
    }
    return rings;
  }

  /** A ring of one page may have its one reference under either name. */
  private static List<Integer> grants(NodeFolder folder, OptionalLong order) throws IOException {
    boolean isNumbered = order.isPresent() && folder.find("ring-ref0").isPresent();
    if (!isNumbered && order.orElse(0) == 0) {
      return List.of((int) folder.neededNumber("ring-ref", 0, MOST_U32));
    }
    List<Integer> grants = new ArrayList<>();
    for (int page = 0; page < 1 << order.orElse(0); page++) {
      grants.add((int) folder.neededNumber("ring-ref" + page, 0, MOST_U32));
    }
    return grants;
  }

  /** A guest that says nothing has the layout of the host, as for Linux' own back end. */
  private RingAbi abi() throws IOException {
    String protocol = nodes.find("protocol").orElse("");
    return switch (protocol) {
      case "" -> RingAbi.ofHost();
      case "x86_64-abi", "arm-abi" -> RingAbi.X86_64;
      case "x86_32-abi" -> RingAbi.X86_32;
      default ->
          throw new DiskException(
              Errno.EINVAL,
              nodes.path()
                  + "/protocol is '"
                  + StoreText.shown(protocol)
                  + "', which is not known");
    };
  }
}
