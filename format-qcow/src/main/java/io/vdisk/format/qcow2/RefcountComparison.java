package io.vdisk.format.qcow2;

import io.vdisk.feature.CheckReport.Severity;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Compares what is counted with what is referred to. One thread. */
final class RefcountComparison {
  private final CheckedImage image;
  private final StoredRefcounts stored;
  private final References references;
  private final Findings findings;

  /** Behind the last cluster in use, by the one or the other. */
  private long end;

  private boolean isUncountedInUse;
  private boolean isBlockMissing;

  RefcountComparison(
      CheckedImage image, StoredRefcounts stored, References references, Findings findings) {
    this.image = image;
    this.stored = stored;
    this.references = references;
    this.findings = findings;
  }

  /** Compares all. */
  void compare() throws IOException {
    long clusters = Math.max(image.clusters(), references.end());
    long perBlock = stored.perBlock();
    long first = 0;
    for (long block = 0; block < stored.blocks() && first < clusters; block++, first += perBlock) {
      compare(block, first, Math.min(clusters, first + perBlock));
    }
    compareWithNone(first, clusters);
  }

  /** Behind the last cluster in use. */
  long end() {
    return end;
  }

  /** A cluster that is referred to has the count 0: QEMU makes the counts anew then. */
  boolean isUncountedInUse() {
    return isUncountedInUse;
  }

  /** A cluster that is referred to has no count at all. */
  boolean isBlockMissing() {
    return isBlockMissing;
  }

  private void compare(long block, long first, long stop) throws IOException {
    ByteBuffer counts = stored.block(block);
    if (counts == null) {
      long last = first + stored.perBlock() - 1;
      findings.add(
          Severity.UNCHECKED,
          1,
          () -> "the refcounts of clusters " + first + " to " + last + " cannot be read");
    } else if (counts.limit() == 0) {
      compareWithNone(first, stop);
    } else {
      compareBlock(counts, first, stop);
    }
  }

  private void compareWithNone(long first, long stop) {
    for (long at = references.next(first); at < stop; at = references.next(at + 1)) {
      isBlockMissing |= references.get(at) > 0;
      compare(at, 0);
    }
  }

  private void compareBlock(ByteBuffer counts, long first, long stop) {
    for (long cluster = first; cluster < stop; ) {
      int i = (int) (cluster - first);
      long counted = stored.count(counts, i);
      long once = counted == 1 ? Math.max(1, stored.countOnes(counts, i)) : 0;
      long agreed = references.confirmOnce(cluster, Math.min(once, stop - cluster));
      if (agreed > 0) {
        end = cluster + agreed;
      } else {
        compare(cluster, counted);
      }
      cluster += Math.max(1, agreed);
    }
  }

  private void compare(long cluster, long counted) {
    long referred = references.get(cluster);
    if (counted != referred) {
      boolean leaked = Long.compareUnsigned(counted, referred) > 0;
      isUncountedInUse |= counted == 0;
      findings.add(
          leaked ? Severity.LEAK : Severity.ERROR,
          1,
          () ->
              "cluster "
                  + cluster
                  + " is counted "
                  + Long.toUnsignedString(counted)
                  + " times and referred to "
                  + referred
                  + " times");
    }
    if (counted != 0 || referred != 0) {
      end = cluster + 1;
    }
  }
}
