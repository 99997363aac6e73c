package io.vdisk;

import io.vdisk.feature.UnitWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Where a copy goes: writes the pieces in the order in which they come, and counts. One thread. */
final class CopyTarget {
  private final BlockDevice device;
  private final boolean empty;
  private final Optional<UnitWriter> units;
  private long read;
  private long written;
  private long skipped;

  CopyTarget(BlockDevice device, boolean empty, Optional<UnitWriter> units) {
    this.device = device;
    this.empty = empty;
    this.units = units;
  }

  void write(CopyPiece piece) throws IOException {
    CopyPlan.Step step = piece.step();
    switch (step.action()) {
      case COPY -> {
        read += step.length();
        for (CopyPiece.Run run : piece.runs()) {
          write(piece, run);
        }
      }
      case ZERO -> zero(step.offset(), step.length());
      case KEEP -> skipped += step.length();
    }
  }

  private void write(CopyPiece piece, CopyPiece.Run run) throws IOException {
    long offset = piece.step().offset() + run.from();
    long length = Math.min(run.to() - run.from(), piece.step().end() - offset);
    ByteBuffer encoded = run.encoded();
    if (run.zero()) {
      zero(offset, length);
    } else if (encoded != null && units.isPresent()) {
      units.get().append(offset, piece.bytes(run), encoded);
      written += length;
    } else {
      device.write(piece.bytes(run), offset);
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
