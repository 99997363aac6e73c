package io.vdisk;

import io.vdisk.feature.UnitWriter;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One step of a copy on its way: a buffer, and which parts of it are not zero. Used again for later
 * steps, by one thread.
 */
final class CopyPiece {
  /**
   * A part of the buffer.
   *
   * @param from where it begins in the buffer, and {@code to} where it ends
   * @param zero whether all of it is zero
   * @param encoded the compressed unit; null if units are not compressed, or this is zero
   */
  record Run(int from, int to, boolean zero, @Nullable ByteBuffer encoded) {}

  private static final int PAGE = 4096;

  private final BlockDevice source;
  private final int granule;
  private final int capacity;
  private final Optional<UnitWriter> units;
  private final boolean zeroesToo;
  private final List<Run> runs = new ArrayList<>();
  private @Nullable ByteBuffer buffer;

  /** The compressed units of the step, one behind the other. */
  private @Nullable ByteBuffer encoded;

  private CopyPlan.Step step = new CopyPlan.Step(CopyPlan.Action.KEEP, 0, 0);

  /**
   * A piece of up to {@code capacity} bytes.
   *
   * @param zeroesToo whether zeroes are data like other bytes
   */
  CopyPiece(
      BlockDevice source,
      int granule,
      int capacity,
      Optional<UnitWriter> units,
      boolean zeroesToo) {
    this.source = source;
    this.granule = granule;
    this.capacity = capacity;
    this.units = units;
    this.zeroesToo = zeroesToo;
  }

  /** Reads what the step wants, and finds the zeroes in it. */
  CopyPiece load(CopyPlan.Step next) throws IOException {
    step = next;
    runs.clear();
    if (step.action() == CopyPlan.Action.COPY) {
      ByteBuffer bytes = buffer();
      int length = (int) step.length();
      source.read(bytes.clear().limit(length), step.offset());
      if (units.isPresent()) {
        encode(bytes, length, units.get());
      } else {
        for (int from = 0; from < length; from += granule) {
          add(bytes, from, Math.min(from + granule, length));
        }
      }
    }
    return this;
  }

  private ByteBuffer buffer() {
    if (buffer == null) {
      buffer = allocate();
    }
    return buffer;
  }

  /** At a page, as files want it that are read or written past the page cache. */
  private ByteBuffer allocate() {
    return ByteBuffer.allocateDirect(capacity + PAGE - 1).alignedSlice(PAGE);
  }

  private void add(ByteBuffer bytes, int from, int to) {
    boolean zero = isZero(slice(bytes, from, to));
    int last = runs.size() - 1;
    if (last >= 0 && runs.get(last).zero() == zero) {
      runs.set(last, new Run(runs.get(last).from(), to, zero, null));
    } else {
      runs.add(new Run(from, to, zero, null));
    }
  }

  private boolean isZero(ByteBuffer bytes) {
    return !zeroesToo && Zeroes.only(bytes);
  }

  /** A disk may end within its last unit: the rest of that is zero. */
  private void encode(ByteBuffer bytes, int length, UnitWriter writer) throws IOException {
    int whole = (length + granule - 1) / granule * granule;
    Zeroes.fill(bytes.limit(whole).position(length));
    encoded = encoded == null ? allocate() : encoded.clear();
    for (int from = 0; from < whole; from += granule) {
      ByteBuffer unit = slice(bytes, from, from + granule);
      boolean zero = isZero(unit);
      runs.add(new Run(from, from + granule, zero, zero ? null : encode(unit, writer, encoded)));
    }
  }

  private static ByteBuffer encode(ByteBuffer unit, UnitWriter writer, ByteBuffer target)
      throws IOException {
    int start = target.position();
    int length = writer.encode(unit, target);
    return target.slice(start, length);
  }

  CopyPlan.Step step() {
    return step;
  }

  List<Run> runs() {
    return runs;
  }

  /** The bytes of a run. */
  ByteBuffer bytes(Run run) {
    return slice(buffer(), run.from(), run.to());
  }

  private static ByteBuffer slice(ByteBuffer bytes, int from, int to) {
    return bytes.duplicate().limit(to).position(from);
  }
}
