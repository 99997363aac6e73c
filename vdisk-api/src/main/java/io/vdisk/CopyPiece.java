package io.vdisk;

import io.vdisk.feature.UnitWriter;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Some steps of a copy on their way: what is to be done with which part of the disk, and the bytes.
 * Used again for later steps, by one thread.
 */
final class CopyPiece {
  /**
   * A part of the disk.
   *
   * @param action what is to be done with it
   * @param offset guest offset
   * @param length guest bytes
   * @param from where its bytes begin in the buffer, if it is copied, and {@code to} where they
   *     end: a unit to be compressed is whole, though the disk may end within it
   * @param encoded the compressed unit; null if units are not compressed
   */
  record Part(
      CopyPlan.Action action,
      long offset,
      long length,
      int from,
      int to,
      @Nullable ByteBuffer encoded) {}

  private static final int PAGE = 4096;

  private final BlockDevice source;
  private final int granule;
  private final int capacity;
  private final Optional<UnitWriter> units;
  private final boolean zeroesToo;
  private final List<Part> parts = new ArrayList<>();
  private @Nullable ByteBuffer buffer;

  /** The compressed units, one behind the other. */
  private @Nullable ByteBuffer encoded;

  private long read;

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

  /** Reads what the steps want, one behind the other, and finds the zeroes in it. */
  CopyPiece load(List<CopyPlan.Step> steps) throws IOException {
    parts.clear();
    read = 0;
    int used = 0;
    if (units.isPresent()) {
      encoded = encoded == null ? allocate() : encoded.clear();
    }
    for (CopyPlan.Step step : steps) {
      if (step.action() == CopyPlan.Action.COPY) {
        used += load(step, used);
        read += step.length();
      } else {
        parts.add(new Part(step.action(), step.offset(), step.length(), 0, 0, null));
      }
    }
    return this;
  }

  /** A disk may end within its last unit: the rest of that is zero. */
  private int load(CopyPlan.Step step, int from) throws IOException {
    ByteBuffer bytes = buffer();
    int end = from + (int) step.length();
    source.read(bytes.clear().limit(end).position(from), step.offset());
    int whole = end;
    if (units.isPresent()) {
      whole = (end + granule - 1) / granule * granule;
      Zeroes.fill(bytes.limit(whole).position(end));
    }
    for (int at = from; at < whole; at += granule) {
      add(step, from, at, Math.min(at + granule, whole));
    }
    return whole - from;
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

  /**
   * Adds a granule of a step.
   *
   * @param start where the step's bytes begin in the buffer
   */
  private void add(CopyPlan.Step step, int start, int from, int to) throws IOException {
    ByteBuffer bytes = slice(buffer(), from, to);
    long offset = step.offset() + (from - start);
    long length = Math.min(to - from, step.end() - offset);
    boolean isZero = !zeroesToo && Zeroes.only(bytes);
    CopyPlan.Action action = isZero ? CopyPlan.Action.ZERO : CopyPlan.Action.COPY;
    ByteBuffer unit = null;
    if (units.isPresent()) {
      unit = isZero ? null : encode(bytes, units.get());
    } else if (from > start && last().action() == action) {
      Part before = parts.remove(parts.size() - 1);
      parts.add(
          new Part(action, before.offset(), before.length() + length, before.from(), to, null));
      return;
    }
    parts.add(new Part(action, offset, length, from, to, unit));
  }

  private Part last() {
    return parts.get(parts.size() - 1);
  }

  private ByteBuffer encode(ByteBuffer unit, UnitWriter writer) throws IOException {
    ByteBuffer target = Objects.requireNonNull(encoded);
    int start = target.position();
    int length = writer.encode(unit, target);
    return target.slice(start, length);
  }

  /** What is to be done, in the order of the disk. */
  List<Part> parts() {
    return parts;
  }

  /** Bytes that were read. */
  long read() {
    return read;
  }

  /** Bytes that are to be written as data. */
  long copied() {
    return parts.stream()
        .filter(part -> part.action() == CopyPlan.Action.COPY)
        .mapToLong(Part::length)
        .sum();
  }

  /** The bytes of a part that is copied. */
  ByteBuffer bytes(Part part) {
    return slice(buffer(), part.from(), part.to());
  }

  private static ByteBuffer slice(ByteBuffer bytes, int from, int to) {
    return bytes.duplicate().limit(to).position(from);
  }
}
