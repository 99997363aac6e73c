package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.XenRing;
import java.io.IOException;

/** The way to the memory of guests. Any thread may call. */
@FunctionalInterface
public interface RingConnector {
  /**
   * Maps the ring of a guest.
   *
   * @throws IOException if it is not there, in a sentence that names it
   */
  TapTransport connect(XenRing ring) throws IOException;
}
