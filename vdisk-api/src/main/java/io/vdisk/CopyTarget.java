package io.vdisk;

import io.vdisk.feature.OrderedWriter;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** Where a copy goes: writes one thread's pieces, each in its turn, and counts. One thread. */
final class CopyTarget {
  private final BlockDevice device;
  private final OrderedWriter writer;
  private final boolean empty;
  private final Optional<UnitWriter> units;
  private long read;
  private long written;
  private long skipped;

  CopyTarget(BlockDevice device, boolean empty, Optional<UnitWriter> units) {
    this.device = device;
    this.writer =
        device
            .feature(OrderedWriter.class)
            .orElse((src, offset, placed) -> device.write(src, offset));
    this.empty = empty;
    this.units = units;
  }

  /**
   * Takes the beginning of a step's range over by sharing the blocks of the source's files; it is
   * the step's turn.
   *
   * @return where that ends
   */
  long share(BlockDevice source, CopyPlan.Step step, Runnable placed) throws IOException {
    long at = step.offset();
    long taken = 1;
    while (taken > 0 && at < step.end()) {
      Extent extent = source.extentAt(at, step.end() - at);
      boolean isLast = at + extent.length() == step.end();
      taken = share(extent, isLast ? placed : () -> {});
      at += taken;
    }
    written += at - step.offset();
    return at;
  }

  private long share(Extent extent, Runnable placed) throws IOException {
    Optional<HostFile> file = extent.file();
    return file.isEmpty() || extent.isEncoded()
        ? 0
        : writer.share(file.get(), extent.fileOffset(), extent.offset(), extent.length(), placed);
  }

  /**
   * Writes a piece whose turn it is.
   *
   * @param placed run as soon as it may be the next one's turn, if that is before the end
   */
  void write(CopyPiece piece, Runnable placed) throws IOException {
    read += piece.read();
    int last = lastPlaced(piece.parts());
    for (int i = 0; i < piece.parts().size(); i++) {
      write(piece, piece.parts().get(i), i == last ? placed : () -> {});
    }
  }

  /** Which part is the last for which space may be set aside; -1 if there is none. */
  private int lastPlaced(List<CopyPiece.Part> parts) {
    int i = parts.size() - 1;
    while (i >= 0 && !isPlaced(parts.get(i))) {
      i--;
    }
    return i;
  }

  private boolean isPlaced(CopyPiece.Part part) {
    return switch (part.action()) {
      case COPY -> true;
      case ZERO -> !empty;
      case KEEP -> false;
    };
  }

  private void write(CopyPiece piece, CopyPiece.Part part, Runnable placed) throws IOException {
    switch (part.action()) {
      case COPY -> {
        ByteBuffer encoded = part.encoded();
        if (encoded != null && units.isPresent()) {
          units.get().append(part.offset(), piece.bytes(part), encoded);
        } else {
          writer.write(piece.bytes(part), part.offset(), placed);
        }
        written += part.length();
      }
      case ZERO -> zero(part.offset(), part.length());
      case KEEP -> skipped += part.length();
    }
  }

  private void zero(long offset, long length) throws IOException {
    skipped += length;
    if (empty) {
      return;
    }
    try {
      for (Extent extent : device.extents(offset, length)) {
        if (!extent.readsAsZero()) {
          device.writeZeroes(extent.offset(), extent.length());
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  ImageCopy.Result result() {
    return new ImageCopy.Result(read, written, skipped);
  }
}
