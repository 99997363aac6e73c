package io.vdisk;

import io.vdisk.feature.OrderedWriter;
import io.vdisk.feature.UnitWriter;
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
   * Writes a piece whose turn it is.
   *
   * @param placed run as soon as it may be the next one's turn, if that is before the end
   */
  void write(CopyPiece piece, Runnable placed) throws IOException {
    CopyPlan.Step step = piece.step();
    switch (step.action()) {
      case COPY -> {
        read += step.length();
        int last = lastPlaced(piece.runs());
        for (int i = 0; i < piece.runs().size(); i++) {
          write(piece, piece.runs().get(i), i == last ? placed : () -> {});
        }
      }
      case ZERO -> zero(step.offset(), step.length());
      case KEEP -> skipped += step.length();
    }
  }

  /** Which run is the last for which space may be set aside; -1 if there is none. */
  private int lastPlaced(List<CopyPiece.Run> runs) {
    int i = runs.size() - 1;
    while (i >= 0 && empty && runs.get(i).zero()) {
      i--;
    }
    return i;
  }

  private void write(CopyPiece piece, CopyPiece.Run run, Runnable placed) throws IOException {
    long offset = piece.step().offset() + run.from();
    long length = Math.min(run.to() - run.from(), piece.step().end() - offset);
    ByteBuffer encoded = run.encoded();
    if (run.zero()) {
      zero(offset, length);
    } else if (encoded != null && units.isPresent()) {
      units.get().append(offset, piece.bytes(run), encoded);
      written += length;
    } else {
      writer.write(piece.bytes(run), offset, placed);
      written += length;
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
