package io.vdisk.spi.metadata;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * One kind of table of an image: how it is cut into slices, and where each lies. "L2 table" is one
 * kind, its slices numbered through all L2 tables in guest order, so that a slice is found without
 * its parent.
 *
 * <p>Immutable but for what {@link #position} looks up.
 */
public abstract class TableKind {
  /** Most bytes of a slice: one page of the host, and what QEMU calls a slice by default. */
  public static final int MAX_SLICE = 4096;

  private final String name;
  private final HostFile file;
  private final ByteOrder order;
  private final int sliceBytes;
  private final long totalBytes;
  private final Enum<?> stage;
  private final Enum<?> newStage;

  /** The slices in memory, in chunks; set when a cache takes the kind. */
  private @Nullable AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable Slice>> map;

  /** Stands in the map where somebody is reading the slice. */
  private @Nullable Slice loading;

  /**
   * A kind of table.
   *
   * @param name the specification's word, for messages
   * @param file where it lies
   * @param order the byte order of its entries
   * @param sliceBytes bytes of a slice but the last; a multiple of 8, at most {@link #MAX_SLICE}
   * @param totalBytes bytes of all tables of the kind; a multiple of 8
   * @param stage when a changed slice is written
   */
  protected TableKind(
      String name, HostFile file, ByteOrder order, int sliceBytes, long totalBytes, Enum<?> stage) {
    this(name, file, order, sliceBytes, totalBytes, stage, stage);
  }

  /**
   * A kind of table whose new slices are written in an earlier stage until something on disk names
   * them.
   */
  protected TableKind(
      String name,
      HostFile file,
      ByteOrder order,
      int sliceBytes,
      long totalBytes,
      Enum<?> stage,
      Enum<?> newStage) {
    if (sliceBytes < 8 || sliceBytes > MAX_SLICE || sliceBytes % 8 != 0 || totalBytes % 8 != 0) {
      throw new IllegalArgumentException(name + ": slices of " + sliceBytes + " bytes");
    }
    this.name = name;
    this.file = file;
    this.order = order;
    this.sliceBytes = sliceBytes;
    this.totalBytes = totalBytes;
    this.stage = stage;
    this.newStage = newStage;
  }

  /**
   * Where a slice lies in the host file; 0 if its table does not exist. Called under the metadata
   * lock; finds parents by {@code hold.slice(...)} and never from anything read earlier.
   *
   * @throws io.vdisk.CorruptImageException if what names the table is impossible
   */
  protected abstract long position(TableCache.Hold hold, long index) throws IOException;

  /**
   * Whether a slice belongs to a table that was made since the file was opened, where nothing was
   * ever written, and of which not all slices were created: what lies past the end of the file
   * reads as zero there, and is no corruption. Called under the metadata lock.
   */
  protected boolean isNew(long index) {
    return false;
  }

  /** The specification's word. */
  public final String name() {
    return name;
  }

  /** Slices of all tables of the kind. */
  public final long slices() {
    return (totalBytes + sliceBytes - 1) / sliceBytes;
  }

  final void attach(AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable Slice>> slices) {
    if (map != null) {
      throw new IllegalStateException(name + " has a cache");
    }
    map = slices;
    loading = new Slice(this, 0, 0, stage);
  }

  final AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable Slice>> map() {
    return Objects.requireNonNull(map);
  }

  final @Nullable Slice loading() {
    return loading;
  }

  final HostFile file() {
    return file;
  }

  final ByteOrder order() {
    return order;
  }

  final Enum<?> stage() {
    return stage;
  }

  final Enum<?> newStage() {
    return newStage;
  }

  final int sliceBytes(long index) {
    return (int) Math.max(0, Math.min(sliceBytes, totalBytes - index * sliceBytes));
  }
}
