package io.vdisk.backend.tap;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/** The way back: answers of batches into a ring, with one ring of the bell for each. Any thread. */
final class Responses {
  private final SharedRing ring;
  private final TapTransport transport;
  private final ReentrantLock lock = new ReentrantLock();

  Responses(SharedRing ring, TapTransport transport) {
    this.ring = ring;
    this.transport = transport;
  }

  /**
   * Puts the answers of the requests from {@code from} to {@code to}, and wakes the guest if it
   * asked.
   */
  void put(RequestBatch batch, int from, int to) throws IOException {
    boolean mustRing;
    lock.lock();
    try {
      for (int i = from; i < to; i++) {
        ring.answer(batch.request(i), batch.status(i));
      }
      mustRing = ring.publish();
    } finally {
      lock.unlock();
    }
    if (mustRing || transport.isAlwaysRung()) {
      transport.ringBell();
    }
  }
}
