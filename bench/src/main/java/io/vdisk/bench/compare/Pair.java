package io.vdisk.bench.compare;

/** Both sides, one right after the other. */
record Pair(Measured ours, Measured peer) {
  /** Whether others took so much of the machine meanwhile that this says little. */
  boolean isDisturbed() {
    return ours.run().isDisturbed() || peer.run().isDisturbed();
  }

  double disturbance() {
    return Math.max(ours.run().disturbance(), peer.run().disturbance());
  }
}
