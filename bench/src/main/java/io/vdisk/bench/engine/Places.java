package io.vdisk.bench.engine;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.file.HostFile;
import java.io.IOException;

/**
 * Where the bytes of a disk lie in its file, so that bare files can be asked for the same bytes.
 */
final class Places {
  /** Of larger pieces only the beginnings are known: the tables between them are few. */
  private static final int PIECE = 1 << 16;

  private final HostFile file;
  private final long[] starts;

  private Places(HostFile file, long[] starts) {
    this.file = file;
    this.starts = starts;
  }

  /** In a raw file. */
  static Places same(HostFile file, long size) {
    long[] starts = new long[pieces(size)];
    for (int i = 0; i < starts.length; i++) {
      starts[i] = (long) i * PIECE;
    }
    return new Places(file, starts);
  }

  /**
   * Of a disk that is stored as it is.
   *
   * @throws IOException also where a piece is not stored, or not in the first image of a chain
   */
  static Places of(BlockDevice device) throws IOException {
    long[] starts = new long[pieces(device.size())];
    HostFile file = null;
    for (Extent extent : device.extents(0, device.size())) {
      if (extent.file().isEmpty() || extent.depth() > 0 || extent.isEncoded()) {
        throw new IOException("not stored as it is: " + extent);
      }
      file = extent.file().get();
      long end = extent.offset() + extent.length();
      for (long at = (extent.offset() + PIECE - 1) / PIECE * PIECE; at < end; at += PIECE) {
        starts[Math.toIntExact(at / PIECE)] = extent.fileOffset() + at - extent.offset();
      }
    }
    if (file == null) {
      throw new IOException("an empty disk lies nowhere");
    }
    return new Places(file, starts);
  }

  private static int pieces(long size) {
    return Math.toIntExact((size + PIECE - 1) / PIECE);
  }

  /** The file that the bytes lie in. */
  HostFile file() {
    return file;
  }

  long at(long offset) {
    return starts[(int) (offset / PIECE)] + offset % PIECE;
  }
}
