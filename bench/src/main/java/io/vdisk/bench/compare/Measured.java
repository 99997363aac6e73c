package io.vdisk.bench.compare;

import io.vdisk.bench.host.Run;

/**
 * One side's run.
 *
 * @param diskBytes what it made takes on the host; 0 where it makes nothing
 */
record Measured(Run run, long diskBytes) {
  double wall() {
    return run.wall();
  }

  double cpu() {
    return run.cpu();
  }
}
