package io.vdisk.format.qcow2;

import java.io.IOException;

/**
 * Places in the file that nothing refers to, by what a check has counted and not by refcounts that
 * are wrong: for tables that a repair makes anew. One thread.
 */
final class FreeClusters {
  private final ReferenceCounter counter;

  /** Clusters that the file can have. */
  private final long capacity;

  /** Clusters before this one are not looked at any more. */
  private long cursor;

  /** Begins to look at a cluster. */
  FreeClusters(CheckedImage image, ReferenceCounter counter, long from) throws IOException {
    this.counter = counter;
    this.cursor = from;
    long room = counter.knowsDangling() ? ReferenceCounter.BEHIND : 0;
    this.capacity = Math.min(image.file.capacity() >>> image.clusterBits, image.clusters() + room);
  }

  /** Takes so many that follow each other; the first, or 0 if there are none. */
  long take(long clusters) {
    long first = cursor;
    for (long at = first; at < first + clusters; at++) {
      if (at >= capacity) {
        return 0;
      }
      if (counter.references.get(at) != 0 || counter.dangling.get(at) != 0) {
        first = at + 1;
      }
    }
    cursor = first + clusters;
    return first;
  }
}
