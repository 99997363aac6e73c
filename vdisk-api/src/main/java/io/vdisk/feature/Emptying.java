package io.vdisk.feature;

import java.io.IOException;

/** The image can forget all that it holds, so that its backing file shows through everywhere. */
public interface Emptying {
  /**
   * Forgets the disk's data, zeroes included, and gives their space back; size, snapshots and the
   * name of the backing file stay. Other requests wait meanwhile. It can be ended at any instant:
   * then some of the data is forgotten.
   *
   * @throws IllegalStateException if the image is open for reading alone
   */
  void empty() throws IOException;
}
