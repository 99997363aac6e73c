package io.vdisk.format.qcow;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What an L1 table of Xen's looks like, which was written in either byte order.
 *
 * <p>Xen wrote it little-endian up to 3.2 and big-endian from 3.3 on; some releases turned it round
 * on disk whenever they opened an image, others swapped a right one and flagged it as right. So the
 * flag says nothing, and the order is the one in which every entry is possible.
 *
 * @param order the byte order; big-endian if the table is empty, or possible in neither
 * @param isEmpty whether no entry names a table
 */
record L1Order(ByteOrder order, boolean isEmpty) {
  /** Bytes that are read at a time. */
  private static final int STEP = 64 << 10;

  /** What every table begins at a multiple of, in images of every writer. */
  private static final int SECTOR = 512;

  /** Looks at the whole table. */
  static L1Order of(HostFile file, QcowHeader header) throws IOException {
    long fileSize = file.size();
    boolean big = true;
    boolean little = true;
    boolean empty = true;
    ByteBuffer entries = ByteBuffer.allocate(STEP);
    for (long done = 0; done < header.l1Bytes(); done += entries.limit()) {
      entries.clear().limit((int) Math.min(STEP, header.l1Bytes() - done));
      file.readFully(entries, header.l1TableOffset() + done);
      for (entries.flip(); entries.hasRemaining(); ) {
        long entry = entries.getLong();
        if (entry != 0) {
          empty = false;
          big &= isPossible(entry, header, fileSize);
          little &= isPossible(Long.reverseBytes(entry), header, fileSize);
        }
      }
    }
    return new L1Order(little && !big ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN, empty);
  }

  private static boolean isPossible(long entry, QcowHeader header, long fileSize) {
    return entry % SECTOR == 0 && entry >= header.end() && entry < fileSize;
  }
}
