package io.vdisk.backend.tap;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A guest of a simulated Xen with a ring of one page and one page of data. */
public final class SimulatedGuest {
  /** The guest. */
  public static final int DOMAIN = SimulatedXen.DOMAIN;

  /** Its end of the event channel. */
  public static final int PORT = SimulatedEvents.PORT;

  /** The reference of its ring's page. */
  public static final int RING = 8;

  private static final int DATA = 1000;

  private final SimulatedXen xen = new SimulatedXen();
  private final SimulatedEvents events = new SimulatedEvents();
  private final ByteBuffer data = xen.grant(DATA);
  private final FrontRing ring;

  /** A guest that grants what it needs. */
  public SimulatedGuest(RingAbi abi) {
    this.ring = new FrontRing(xen.grant(RING), abi);
  }

  /** The way to it, as a host with these devices has it. */
  public TapTransport connect(XenRing asked) throws IOException {
    return GrantTransport.connect(asked, xen, events);
  }

  /** Its page of data. */
  public ByteBuffer data() {
    return data;
  }

  /** Asks for a page of data, and waits for the status. */
  public int ask(int code, long sector) throws InterruptedException {
    ring.next().operation(code, sector).segment(DATA, 0, 7);
    ring.put();
    if (ring.publish()) {
      events.ring();
    }
    while (ring.waiting() == 0) {
      int before = events.rings();
      if (ring.mayAwaitResponses()) {
        int unused = events.awaitRing(before);
      }
    }
    return ring.take().status();
  }

  /** Whether nothing of it is mapped, and its devices are closed. */
  public boolean isLeft() {
    return xen.mapped.get() == 0 && xen.isClosed && events.isClosed();
  }
}
