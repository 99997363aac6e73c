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
  }

  /** Whether a block is where none can be, or where something else is. */
  boolean isBroken() {
    return isBroken;
  }

  private void count(int i, long offset) {
    if (stored.hasReservedBits(i)) {
      broken(i, " has reserved bits set");
    } else if (!image.isAligned(offset)) {
      broken(i, " names a block at " + offset + ", which is not cluster aligned");
    } else if (offset < 0 || image.cluster(offset) >= image.clusters()) {
      broken(i, " names a block at " + offset + ", which is outside the image");
    } else if (offset != 0) {
      counter.referToStructure(offset, image.clusterSize);
      if (counter.references.get(image.cluster(offset)) != 1) {
        broken(i, " names a block at " + offset + ", which others refer to, too");
      }
    }
  }

  private void broken(int i, String what) {
    isBroken = true;
    findings.error(() -> "refcount table entry " + i + what);
  }
}
