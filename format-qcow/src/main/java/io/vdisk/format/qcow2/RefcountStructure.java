package io.vdisk.format.qcow2;

/**
 * Counts what the refcount table and its blocks take themselves, and looks whether they can be. One
 * thread.
 */
final class RefcountStructure {
  private final CheckedImage image;
  private final StoredRefcounts stored;
  private final ReferenceCounter counter;
  private final Findings findings;

  private boolean isBroken;
  private boolean isOutside;
  private boolean isShared;

  RefcountStructure(
      CheckedImage image, StoredRefcounts stored, ReferenceCounter counter, Findings findings) {
    this.image = image;
    this.stored = stored;
    this.counter = counter;
    this.findings = findings;
  }

  /** Counts, after all that is not the structure itself. */
  void count() {
    counter.referToStructure(stored.tableOffset(), stored.tableBytes());
    for (int i = 0; i < stored.blocks(); i++) {
      count(i, stored.blockOffset(i));
    }
    isShared |= isTableShared();
  }

  /**
   * Whether the structure has to be made anew: also where a block is missing, or where something
   * else lies in its place, though counts of 2 might say so, or counts of 1 bit cannot.
   */
  boolean needsNewPlace() {
    return isBroken || isOutside || isShared;
  }

  private boolean isTableShared() {
    long first = image.cluster(stored.tableOffset());
    long last = image.cluster(stored.tableOffset() + stored.tableBytes() - 1);
    for (long cluster = first; cluster <= last; cluster++) {
      if (!counter.isReferredTo(cluster, 1)) {
        return true;
      }
    }
    return false;
  }

  /** Whether the blocks are no counts of anything: in no place that can be, or in one of others. */
  boolean isBroken() {
    return isBroken;
  }

  private void count(int i, long offset) {
    if (stored.hasReservedBits(i)) {
      broken(i, " has reserved bits set");
    } else if (!image.isAligned(offset)) {
      broken(i, " names a block at " + offset + ", which is not cluster aligned");
    } else if (offset < 0 || image.cluster(offset) >= image.clusters()) {
      isOutside = true;
      error(i, " names a block at " + offset + ", which is outside the image");
    } else if (offset != 0) {
      counter.referToStructure(offset, image.clusterSize);
      if (counter.references.get(image.cluster(offset)) != 1) {
        broken(i, " names a block at " + offset + ", which others refer to, too");
      }
      isShared |= !counter.isReferredTo(image.cluster(offset), 1);
    }
  }

  private void broken(int i, String what) {
    isBroken = true;
    error(i, what);
  }

  private void error(int i, String what) {
    findings.error(() -> "refcount table entry " + i + what);
  }
}
