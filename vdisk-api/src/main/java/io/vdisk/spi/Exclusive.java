package io.vdisk.spi;

import java.io.IOException;

/**
 * Runs a body alone on its device: no other request is in progress, everything is written back,
 * nothing is in quarantine, no decoded unit is kept. Tables are loaded again afterwards, also when
 * the body failed. On a device whose host flush failed it throws.
 *
 * <p>A body uses one thread; it may enter backing devices.
 */
public interface Exclusive {
  /** Runs the body. */
  <T> T call(IoCallable<T> body) throws IOException;

  /** Writes back, inside a body. */
  void flush() throws IOException;
}
