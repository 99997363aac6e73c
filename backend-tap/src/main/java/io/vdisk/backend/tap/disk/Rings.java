package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The rings of a disk's guests. The disk's thread calls; any may ask for all of them. */
final class Rings {
  private final List<ServedRing> rings = new CopyOnWriteArrayList<>();

  /** All, those of guests that left without a word included. */
  List<ServedRing> all() {
    return List.copyOf(rings);
  }

  void add(ServedRing ring) {
    rings.add(ring);
  }

  /** Lets go of one, if it is still there. */
  void close(ServedRing ring) throws IOException {
    if (rings.remove(ring)) {
      ring.ring().close();
    }
  }

  /** Lets go of those whose guests have left. */
  void closeGone() throws IOException {
    for (ServedRing ring : List.copyOf(rings)) {
      if (!ring.isServing()) {
        close(ring);
      }
    }
  }

  /** Lets go of all, whatever fails. */
  void closeAll(FirstFailure failure) {
    rings.forEach(ring -> failure.run(ring.ring()::close));
    rings.clear();
  }

  /** Returns when none has a request in flight, nor takes one; those of guests that left go. */
  void pause() throws IOException {
    closeGone();
    for (ServedRing ring : rings) {
      ring.ring().pause();
    }
  }

  /** All go on; one ring's trouble is not the others'. */
  void resume(BlockDevice device) throws IOException {
    FirstFailure failure = new FirstFailure();
    for (ServedRing ring : rings) {
      if (ring.isServing()) {
        failure.run(() -> ring.ring().resume(device));
      }
    }
    failure.check();
  }

  /** Tells all guests that the disk has another size. */
  void announceSize() {
    for (ServedRing ring : rings) {
      if (ring.isServing()) {
        ring.ring().announceSize();
      }
    }
  }
}
