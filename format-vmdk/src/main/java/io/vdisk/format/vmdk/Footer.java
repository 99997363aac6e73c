package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The last three sectors of an extent whose grain directory was written last: the marker of a
 * footer, the footer, which is a header that knows more, the marker of the stream's end.
 *
 * <p>Archives and object stores fill what they keep with zeroes, so these may follow; other bytes
 * may not. (QEMU wants the marker of the end to be the last sector.)
 */
final class Footer {
  private static final int SECTOR = SparseHeader.SECTOR;

  /** Bytes that belong together. */
  private static final int LENGTH = 3 * SECTOR;

  /** The most zeroes behind the end: more than a record of tar or a page of a store has. */
  static final int MAX_FILLING = 1 << 20;

  private Footer() {}

  /** The footer, checked. */
  static SparseHeader read(HostFile file) throws IOException {
    long size = file.size();
    long start = Math.max(0, size - LENGTH - MAX_FILLING) & -SECTOR;
    ByteBuffer last = ByteBuffer.allocate((int) (size - start));
    file.readFully(last, start);
    last.flip();
    int at = (last.limit() & -SECTOR) - LENGTH;
    while (at >= 0 && !isHere(last, at)) {
      at -= SECTOR;
    }
    if (at < 0) {
      throw new CorruptImageException(
          file.name() + ": gdOffset says that there is a footer, and there is none at the end");
    }
    checkFilling(last.duplicate().position(at + LENGTH), file.name(), start + at + LENGTH);
    SparseHeader footer = SparseHeader.decode(last.slice(at + SECTOR, SECTOR), file);
    if (footer.directory() == SparseHeader.AT_END) {
      throw new CorruptImageException(file.name() + ": the footer's gdOffset says nothing");
    }
    return footer;
  }

  private static boolean isHere(ByteBuffer bytes, int at) {
    int last = at + LENGTH - SECTOR;
    return Marker.SIZE.get(bytes, at) == 0
        && Marker.TYPE.get(bytes, at) == Marker.FOOTER
        && SparseHeader.isThere(bytes.slice(at + SECTOR, SECTOR))
        && Marker.SIZE.get(bytes, last) == 0
        && Marker.TYPE.get(bytes, last) == Marker.END_OF_STREAM;
  }

  /** What follows the marker of the end, from {@code offset} on, must be zeroes. */
  static void checkFilling(ByteBuffer bytes, String name, long offset)
      throws CorruptImageException {
    if (!Zeroes.only(bytes)) {
      throw new CorruptImageException(
          name + ": behind the end of its stream, at " + offset + ", are bytes that are not zero");
    }
  }
}
