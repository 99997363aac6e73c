package io.vdisk.format.qcow2;

import java.io.IOException;

/**
 * Counts references to ranges of the file, as far as its refcounts can count them, and finds those
 * that cannot be. One thread.
 */
final class ReferenceCounter {
  /** Clusters behind the file whose references are remembered. */
  static final long BEHIND = 1 << 22;

  /** References past the end that are remembered, in clusters. */
  private static final long MOST_DANGLING = 1 << 26;

  private final CheckedImage image;
  private final Findings findings;
  private final long max;

  /** All references. */
  final References references = new References();

  /** Those among them of the refcount table, and of its entries. */
  final References structure = new References();

  /**
   * Clusters of ranges that reach past the end, near it: faults, but nothing else may be placed
   * there.
   */
  final References dangling = new References();

  /** Clusters that are referred to more often than {@link #references} can say. */
  private final References beyond = new References();

  private long danglingLeft = MOST_DANGLING;

  ReferenceCounter(CheckedImage image, Findings findings) {
    this.image = image;
    this.findings = findings;
    this.max = new RefcountWidth(image.header.refcountOrder).max();
  }

  /** Counts so many references to each cluster of a range. */
  void refer(long offset, long length, long times) {
    if (length <= 0) {
      return;
    }
    if (isPastEnd(offset, length)) {
      pastEnd(offset, length, times);
      return;
    }
    long last = image.cluster(offset + length - 1);
    for (long cluster = image.cluster(offset); cluster <= last; cluster++) {
      add(cluster, times);
    }
  }

  /** Counts a reference to each cluster of a range. */
  void refer(long offset, long length) {
    refer(offset, length, 1);
  }

  /**
   * Counts a reference to each cluster of a table, of which many may be in one place: they are
   * gathered, and counted by {@link #referToGathered}.
   */
  void gather(long offset, long length, Ranges gathered) {
    if (length <= 0) {
      return;
    }
    if (isPastEnd(offset, length)) {
      pastEnd(offset, length, 1);
      return;
    }
    long last = image.cluster(offset + length - 1);
    gathered.add(image.cluster(offset), last + 1);
  }

  /** Counts what was gathered: ranges of clusters. */
  void referToGathered(Ranges gathered) throws IOException {
    gathered.each((from, to, times) -> referToRun(from << image.clusterBits, to - from, times));
  }

  /** Counts a reference of or to the refcount table or a block, after all others. */
  void referToStructure(long offset, long length) {
    if (isPastEnd(offset, length)) {
      pastEnd(offset, length, 1);
      return;
    }
    long last = image.cluster(offset + length - 1);
    for (long cluster = image.cluster(offset); cluster <= last; cluster++) {
      if (add(cluster, 1) > 0) {
        structure.add(cluster);
      }
    }
  }

  /** Counts references to clusters of which most have no others, as nearly all have. */
  void referToRun(long offset, long clusters, long times) {
    long first = image.cluster(offset);
    long stop = first + clusters;
    for (long at = first; at < stop; ) {
      at += times <= max ? references.addFirst(at, stop - at, times) : 0;
      if (at < stop) {
        add(at++, times);
      }
    }
  }

  /** Whether a range ends a cluster or more behind the file: the last one may be there in part. */
  boolean isPastEnd(long offset, long length) {
    return offset < 0
        || offset > Long.MAX_VALUE - length
        || offset + length - image.fileSize >= image.clusterSize;
  }

  /** Whether a cluster is referred to exactly so often: what those do not know of is not there. */
  boolean isReferredTo(long cluster, long times) {
    return references.get(cluster) == times && beyond.get(cluster) == 0;
  }

  /** Whether {@link #dangling} has all of them. */
  boolean knowsDangling() {
    return danglingLeft > 0;
  }

  private void pastEnd(long offset, long length, long times) {
    if (offset >= 0 && offset <= Long.MAX_VALUE - length) {
      long stop = Math.min(image.cluster(offset + length - 1) + 1, image.clusters() + BEHIND);
      long cluster = image.cluster(offset);
      for (; cluster < stop && danglingLeft > 0; cluster++, danglingLeft--) {
        dangling.add(cluster, times);
      }
    }
    findings.error(
        times,
        () ->
            "a reference to "
                + length
                + " bytes at "
                + offset
                + " is past the end of the file by a cluster or more");
  }

  /** Adds as many as can be counted; how many that were. */
  private long add(long cluster, long times) {
    long room = max - references.get(cluster);
    if (times > room) {
      beyond.add(cluster);
      findings.error(
          times - room,
          () -> "cluster " + cluster + " is referred to more often than can be counted");
    }
    long added = Math.min(times, room);
    if (added > 0) {
      references.add(cluster, added);
    }
    return added;
  }
}
