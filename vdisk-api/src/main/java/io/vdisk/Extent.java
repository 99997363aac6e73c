package io.vdisk;

import io.vdisk.file.HostFile;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A run of guest bytes of one kind. Immutable. */
public final class Extent {
  /** What a run of guest bytes is. */
  public enum Kind {
    /** Stored somewhere in the chain; may still be zeroes. */
    DATA,
    /** Recorded as zero: nothing is stored, and no backing file shows through. */
    ZERO,
    /** Allocated nowhere in the chain; reads as zero. */
    HOLE
  }

  private final long offset;
  private final long length;
  private final Kind kind;
  private final int depth;
  private final @Nullable HostFile file;
  private final long fileOffset;
  private final boolean encoded;

  private Extent(
      long offset,
      long length,
      Kind kind,
      int depth,
      @Nullable HostFile file,
      long fileOffset,
      boolean encoded) {
    if (offset < 0 || length <= 0 || depth < 0) {
      throw new IllegalArgumentException("extent of " + length + " bytes at " + offset);
    }
    this.offset = offset;
    this.length = length;
    this.kind = kind;
    this.depth = depth;
    this.file = file;
    this.fileOffset = fileOffset;
    this.encoded = encoded;
  }

  /** Bytes that lie in {@code file} from {@code fileOffset} on, as they are. */
  public static Extent data(long offset, long length, HostFile file, long fileOffset) {
    return new Extent(
        offset, length, Kind.DATA, 0, Objects.requireNonNull(file), fileOffset, false);
  }

  /** Bytes of which nobody says where they lie. */
  public static Extent data(long offset, long length) {
    return new Extent(offset, length, Kind.DATA, 0, null, -1, false);
  }

  /**
   * Bytes that lie compressed in {@code file}; {@code fileOffset} is where the unit begins there.
   */
  public static Extent encoded(long offset, long length, HostFile file, long fileOffset) {
    return new Extent(offset, length, Kind.DATA, 0, Objects.requireNonNull(file), fileOffset, true);
  }

  /** Bytes that are recorded as zero. */
  public static Extent zero(long offset, long length) {
    return new Extent(offset, length, Kind.ZERO, 0, null, -1, false);
  }

  /** Bytes that nothing in the chain holds. */
  public static Extent hole(long offset, long length) {
    return new Extent(offset, length, Kind.HOLE, 0, null, -1, false);
  }

  /** The first guest byte. */
  public long offset() {
    return offset;
  }

  /** Guest bytes, at least 1. */
  public long length() {
    return length;
  }

  /** What the run is. */
  public Kind kind() {
    return kind;
  }

  /** Which image of the chain says so: 0 this one, n its n-th backing image. */
  public int depth() {
    return depth;
  }

  /** The host file that holds the bytes; empty if there is none or it is not known. */
  public Optional<HostFile> file() {
    return Optional.ofNullable(file);
  }

  /** Where the bytes begin in {@link #file}; -1 without one. */
  public long fileOffset() {
    return fileOffset;
  }

  /** Whether the bytes lie compressed in the host file. */
  public boolean isEncoded() {
    return encoded;
  }

  /** Whether the run reads as zero without being stored. */
  public boolean readsAsZero() {
    return kind != Kind.DATA;
  }

  /** The same run, {@code deeper} images further down the chain. */
  public Extent deeper(int levels) {
    return new Extent(offset, length, kind, depth + levels, file, fileOffset, encoded);
  }

  /** The same beginning with another length. */
  public Extent withLength(long other) {
    return new Extent(offset, other, kind, depth, file, fileOffset, encoded);
  }

  boolean continuesWith(Extent next) {
    return next.offset == offset + length
        && next.kind == kind
        && next.depth == depth
        && Objects.equals(next.file, file)
        && !encoded
        && !next.encoded
        && (file == null || next.fileOffset == fileOffset + length);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Extent that
        && offset == that.offset
        && length == that.length
        && kind == that.kind
        && depth == that.depth
        && Objects.equals(file, that.file)
        && fileOffset == that.fileOffset
        && encoded == that.encoded;
  }

  @Override
  public int hashCode() {
    return Objects.hash(offset, length, kind, depth, fileOffset, encoded);
  }

  @Override
  public String toString() {
    String where = file == null ? "" : " at " + fileOffset + " of " + file.name();
    return kind + " " + length + " bytes at " + offset + ", depth " + depth + where;
  }
}
