package io.vdisk.spi;

import io.vdisk.file.HostFile;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where a run of guest bytes lives, from the offset that was asked for on. Immutable. */
public final class Mapping {
  /** What a run is. */
  public enum Kind {
    /** The bytes lie in a host file. */
    STORED,
    /** Recorded as zero. */
    ZERO,
    /** Not in this image: the backing device's, or zero without one. */
    BACKING,
    /** The unit around the offset lies compressed in a host file. */
    ENCODED
  }

  private final Kind kind;
  private final @Nullable HostFile file;
  private final long fileOffset;
  private final long length;
  private final int encodedLength;
  private final boolean writable;

  private Mapping(
      Kind kind,
      @Nullable HostFile file,
      long fileOffset,
      long length,
      int encodedLength,
      boolean writable) {
    assert length > 0 && fileOffset >= 0 : kind + " of " + length + " at " + fileOffset;
    this.kind = kind;
    this.file = file;
    this.fileOffset = fileOffset;
    this.length = length;
    this.encodedLength = encodedLength;
    this.writable = writable;
  }

  /**
   * A run that lies in {@code file} from {@code fileOffset} on.
   *
   * @param writable whether it may be overwritten in place
   */
  public static Mapping stored(HostFile file, long fileOffset, long length, boolean writable) {
    return new Mapping(Kind.STORED, file, fileOffset, length, 0, writable);
  }

  /** A run that is recorded as zero. */
  public static Mapping zero(long length) {
    return new Mapping(Kind.ZERO, null, 0, length, 0, false);
  }

  /** A run that this image does not hold. */
  public static Mapping backing(long length) {
    return new Mapping(Kind.BACKING, null, 0, length, 0, false);
  }

  /**
   * A run inside one unit that lies compressed.
   *
   * @param fileOffset where the compressed bytes of the whole unit begin
   * @param encodedLength how many there are, at most; the decoder finds the end
   * @param length guest bytes from the offset that was asked for to the end of the unit at most
   */
  public static Mapping encoded(HostFile file, long fileOffset, int encodedLength, long length) {
    return new Mapping(Kind.ENCODED, file, fileOffset, length, encodedLength, false);
  }

  /** What the run is. */
  public Kind kind() {
    return kind;
  }

  /** The host file of a stored or encoded run. */
  public HostFile file() {
    return Objects.requireNonNull(file);
  }

  /** Where in the host file the run begins, or the whole unit if it is encoded. */
  public long fileOffset() {
    return fileOffset;
  }

  /** Guest bytes in the run, at least 1. */
  public long length() {
    return length;
  }

  /** Bytes of the compressed unit; 0 if it is not encoded. */
  public int encodedLength() {
    return encodedLength;
  }

  /** Whether a stored run may be overwritten in place. */
  public boolean isWritable() {
    return writable;
  }

  @Override
  public String toString() {
    return kind + " " + length + " bytes" + (file == null ? "" : " at " + fileOffset);
  }
}
