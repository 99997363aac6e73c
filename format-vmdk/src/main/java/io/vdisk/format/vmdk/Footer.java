package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The last three sectors of an extent whose grain directory was written last: the marker of a
 * footer, the footer, which is a header that knows more, the marker of the stream's end.
 */
final class Footer {
  private static final int SECTOR = SparseHeader.SECTOR;

  private Footer() {}

  /** The footer, checked. Some writers leave bytes behind the end's marker; those are refused. */
  static SparseHeader read(HostFile file) throws IOException {
    long end = file.size() & -SECTOR;
    long start = end - 3L * SECTOR;
    if (start < SECTOR) {
      throw new CorruptImageException(file.name() + ": it ends before its footer");
    }
    ByteBuffer marker = SparseHeader.sector(file, start);
    ByteBuffer last = SparseHeader.sector(file, start + 2L * SECTOR);
    boolean isFramed =
        Marker.SIZE.get(marker, 0) == 0
            && Marker.TYPE.get(marker, 0) == Marker.FOOTER
            && Marker.SIZE.get(last, 0) == 0
            && Marker.TYPE.get(last, 0) == Marker.END_OF_STREAM;
    if (!isFramed) {
      throw new CorruptImageException(
          file.name() + ": gdOffset says that there is a footer, and there is none");
    }
    SparseHeader footer = SparseHeader.decode(SparseHeader.sector(file, start + SECTOR), file);
    if (footer.directory() == SparseHeader.AT_END) {
      throw new CorruptImageException(file.name() + ": the footer's gdOffset says nothing");
    }
    return footer;
  }
}
