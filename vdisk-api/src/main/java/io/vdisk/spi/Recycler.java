package io.vdisk.spi;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Offers freed host space again when nobody can be reading it: its last reference is durably gone,
 * and a grace period that began after that has ended. Thread-safe; never called inside a slot.
 *
 * <p>One grace period runs at a time, for the batches that were durable when it began; a batch that
 * becomes durable meanwhile waits for the next.
 */
final class Recycler {
  private final Gate gate;
  private final WritableLayout layout;
  private final DecodedUnits decoded;

  /** Held while space is recycled, and by whoever is alone on the device. */
  private final ReentrantLock turn = new ReentrantLock();

  // Under the turn:
  private boolean waiting;
  private long awaited;
  private long recycled;

  Recycler(Gate gate, WritableLayout layout, DecodedUnits decoded) {
    this.gate = gate;
    this.layout = layout;
    this.decoded = decoded;
  }

  /** Recycles what can be, and begins to wait for what cannot yet. Does not wait. */
  void poll() throws IOException {
    if (!turn.tryLock()) {
      return;
    }
    try {
      finishIfOver();
      if (!waiting && layout.durableBatch() > recycled) {
        awaited = layout.durableBatch();
        waiting = gate.beginGrace();
        finishIfOver();
      }
    } finally {
      turn.unlock();
    }
  }

  /** Waits for the requests in progress, and recycles all that is durably unnamed by now. */
  void drain() throws IOException {
    turn.lock();
    try {
      if (waiting) {
        gate.awaitGrace();
        finishIfOver();
      }
      poll();
      if (waiting) {
        gate.awaitGrace();
        finishIfOver();
      }
    } finally {
      turn.unlock();
    }
  }

  /** Takes the turn of recycling, for as long as somebody is alone on the device. */
  void begin() {
    turn.lock();
  }

  /** Recycles everything that is durably unnamed; no request is in progress. */
  void recycleAlone() throws IOException {
    waiting = false;
    decoded.drop();
    recycle(layout.durableBatch());
  }

  /** Gives the turn back. */
  void end() {
    turn.unlock();
  }

  private void finishIfOver() throws IOException {
    if (waiting && gate.pollGrace()) {
      waiting = false;
      decoded.drop();
      recycle(awaited);
    }
  }

  private void recycle(long batch) throws IOException {
    if (batch > recycled) {
      layout.recycle(batch);
      recycled = batch;
    }
  }
}
