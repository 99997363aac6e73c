package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Makes the redundant grain tables equal to those that readers look at: whoever died writing may
 * have written one copy and not the other. Where a table has no copy, or the copy cannot be found,
 * nothing is done. One thread, before anything is changed.
 */
final class TableCopies {
  private final GrainGeometry geometry;
  private final HostFile file;

  TableCopies(GrainGeometry geometry) {
    this.geometry = geometry;
    this.file = geometry.file();
  }

  /** Writes to the redundant tables what differs. */
  void makeEqual() throws IOException {
    long unused = compare(true);
    assert unused >= 0;
  }

  /** How many tables differ from their copies; one that has none does. */
  long countDifferent() throws IOException {
    return compare(false);
  }

  private long compare(boolean isCopied) throws IOException {
    if (!geometry.isRedundant()) {
      return 0;
    }
    long different = 0;
    int step = 64 << 10;
    ByteBuffer firsts = ByteBuffer.allocate(step).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer seconds = ByteBuffer.allocate(step).order(ByteOrder.LITTLE_ENDIAN);
    long bytes = geometry.directoryBytes();
    for (long done = 0; done < bytes; done += firsts.limit()) {
      int length = (int) Math.min(step, bytes - done);
      file.readFully(firsts.clear().limit(length), geometry.directory() + done);
      file.readFully(seconds.clear().limit(length), geometry.redundant() + done);
      for (int at = 0; at < length; at += Integer.BYTES) {
        long first = Integer.toUnsignedLong(firsts.getInt(at)) * SparseHeader.SECTOR;
        long second = Integer.toUnsignedLong(seconds.getInt(at)) * SparseHeader.SECTOR;
        if (first != 0 && second != 0) {
          different += isDifferent(first, second, isCopied) ? 1 : 0;
        } else if (first != second) {
          different++;
        }
      }
    }
    return different;
  }

  private boolean isDifferent(long from, long to, boolean isCopied) throws IOException {
    int length = geometry.tableBytes();
    if (from == to || !isTable(from) || !isTable(to)) {
      return false;
    }
    ByteBuffer first = ByteBuffer.allocate(length);
    ByteBuffer second = ByteBuffer.allocate(length);
    file.readFully(first, from);
    file.readFully(second, to);
    boolean isDifferent = !first.flip().equals(second.flip());
    if (isDifferent && isCopied) {
      file.write(first, to);
    }
    return isDifferent;
  }

  private boolean isTable(long place) throws IOException {
    int length = geometry.tableBytes();
    return geometry.isFree(place, length) && place <= file.size() - length;
  }
}
