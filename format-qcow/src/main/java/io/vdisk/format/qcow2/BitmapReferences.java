package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Counts what the bitmaps of an image take, and mends what they name in vain. One thread. */
final class BitmapReferences {
  private final CheckedImage image;
  private final ReferenceCounter counter;

  /** The tables, as ranges of the file. */
  private final Ranges words = new Ranges();

  BitmapReferences(CheckedImage image, ReferenceCounter counter) {
    this.image = image;
    this.counter = counter;
  }

  /**
   * Counts directory, tables and data; nothing where another program has left the bitmaps behind.
   *
   * @throws CorruptImageException if the directory cannot be read, or a table cannot be: what the
   *     rest refers to is not known then
   */
  void count() throws IOException {
    if (image.header.bitmaps.isEmpty()) {
      return;
    }
    BitmapsExtension named = image.header.bitmaps.get();
    counter.refer(named.directoryOffset(), named.directorySize());
    Ranges tableClusters = new Ranges();
    for (BitmapEntry entry : BitmapDirectory.read(image.file, image.header).entries()) {
      checkSize(entry);
      counter.gather(entry.tableOffset(), entry.tableBytes(), tableClusters);
      if (entry.tableOffset() < image.fileSize) {
        words.add(entry.tableOffset(), entry.tableOffset() + entry.tableBytes());
      }
    }
    counter.referToGathered(tableClusters);
    words.each((from, to, times) -> image.eachWord(from, to, (at, word) -> refer(at, word, times)));
  }

  /**
   * Says of bits that would lie past the end of the file that they are all set: what has changed is
   * not known any more, so everything may have. Without flushing.
   *
   * @return whether there were any
   */
  boolean mend() throws IOException {
    boolean[] hasWritten = {false};
    words.each(
        (from, to, times) ->
            image.eachWord(
                from,
                to,
                (at, word) -> {
                  long offset = new BitmapTableEntry(word).offset();
                  if (offset != 0
                      && counter.isPastEnd(offset, image.clusterSize)
                      && counter.isReferredTo(image.cluster(at), 1)) {
                    ByteBuffer ones = ByteBuffer.allocate(Long.BYTES);
                    ones.putLong(0, BitmapTableEntry.uniform(true).raw());
                    image.file.write(ones, at);
                    hasWritten[0] = true;
                  }
                }));
    return hasWritten[0];
  }

  private void checkSize(BitmapEntry entry) throws CorruptImageException {
    long needed =
        BitmapEntry.entriesNeeded(
            image.header.virtualSize, entry.granularityBits(), image.header.clusterSize());
    if (!entry.has(BitmapEntry.IN_USE) && entry.tableEntries() != needed) {
      throw new CorruptImageException(
          image.file.name()
              + ": bitmap "
              + entry.name()
              + " has "
              + entry.tableEntries()
              + " clusters and not "
              + needed);
    }
  }

  private void refer(long at, long word, long times) throws CorruptImageException {
    BitmapTableEntry entry = new BitmapTableEntry(word);
    if (!entry.isWellFormed(image.header.clusterSize())) {
      throw new CorruptImageException(
          image.file.name()
              + ": the bitmap table's entry at "
              + at
              + " is "
              + Long.toHexString(word));
    }
    if (entry.offset() != 0) {
      counter.refer(entry.offset(), image.clusterSize, times);
    }
  }
}
