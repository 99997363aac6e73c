package io.vdisk.format.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The L1 tables of an image, as they lie in the file: the active one, and those of snapshots, which
 * may be one and the same or overlap. One thread.
 */
final class L1Tables {
  private final CheckedImage image;
  private final ByteBuffer active;
  private final Ranges kept = new Ranges();

  /** Takes an entry that is not 0. */
  interface Body {
    /**
     * Takes it.
     *
     * @param at where it lies in the file
     * @param times how many L1 tables have it
     * @param isActive whether the active one does; then it is not any snapshot's
     */
    void entry(long at, L2Entry entry, long times, boolean isActive) throws IOException;
  }

  L1Tables(CheckedImage image) throws IOException {
    this.image = image;
    this.active =
        image.read(image.header.l1TableOffset, (long) image.header.l1Entries * Long.BYTES);
  }

  /** Bytes of the active table. */
  long activeBytes() {
    return active.limit();
  }

  /** Adds the table of a snapshot, whose offset and size have been checked. */
  void addSnapshot(SnapshotEntry snapshot) {
    kept.add(snapshot.l1Offset(), snapshot.l1Offset() + snapshot.l1Bytes());
  }

  /** Goes through the entries of the active table. */
  void eachActive(Body body) throws IOException {
    for (int at = 0; at < active.limit(); at += Long.BYTES) {
      long word = active.getLong(at);
      if (word != 0) {
        body.entry(image.header.l1TableOffset + at, new L2Entry(word), 1, true);
      }
    }
  }

  /** Goes through the entries of all tables. */
  void each(Body body) throws IOException {
    eachActive(body);
    eachKept(body);
  }

  /** Goes through the entries of snapshots' tables, each once, however many have it. */
  void eachKept(Body body) throws IOException {
    kept.each(
        (from, to, times) ->
            image.eachWord(
                from, to, (at, word) -> body.entry(at, new L2Entry(word), times, false)));
  }

  /** Goes through the L2 tables that are named, each once if there are not too many. */
  void eachTable(TableUses.Body body) throws IOException {
    TableUses uses = new TableUses(body);
    each((at, entry, times, isActive) -> uses.add(entry.offset(), times, isActive));
    uses.handOn();
  }

  /** What messages call an entry. */
  String name(long at, boolean isActive) {
    long index = (at - image.header.l1TableOffset) / Long.BYTES;
    return isActive ? "L1 entry " + index : "the L1 entry of a snapshot at " + at;
  }
}
