package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Mapping;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A part of the disk, which has its own way of keeping bytes. Offsets are from its beginning.
 * Called by many threads, as the layout is.
 */
interface VmdkExtent {
  /** Bytes of the extent. */
  long size();

  /** Bytes that it allocates at a time; 1 if it has room for all. A power of two. */
  long unit();

  /** As {@link io.vdisk.spi.ImageLayout#map}. */
  Mapping map(long offset, long length) throws IOException;

  /** Where the unit around {@code offset} ends. */
  default long unitEnd(long offset) {
    return Math.min(size(), (offset & -unit()) + unit());
  }

  /** Its file; empty if it has none. */
  Optional<HostFile> file();

  /**
   * Called before every change; the first one marks the extent durably.
   *
   * @throws io.vdisk.UnsupportedImageException if it cannot be written
   */
  void beforeWrite() throws IOException;

  /** As {@link io.vdisk.spi.WritableLayout#allocate}. */
  Allocation allocate(long offset, long length) throws IOException;

  /** As {@link io.vdisk.spi.WritableLayout#zero}; the range may begin and end anywhere. */
  long zero(long offset, long length, boolean keepSpace) throws IOException;

  /** As {@link io.vdisk.spi.ImageLayout#decode}. */
  default void decode(Mapping encoded, ByteBuffer unit) throws IOException {
    throw new IllegalStateException("the extent has no encoded units");
  }

  /** Space of this extent that nobody can see any more is offered again. */
  default void recycle(long place, long bytes) throws IOException {
    throw new IllegalStateException("the extent frees no space");
  }

  /** Marks the extent as closed in order, if it is marked as being written. */
  default void finish() throws IOException {}

  /** Forgets what is in memory beside tables, which cannot fail; {@link #reload} follows. */
  default void forget() {}

  /** Looks at its file again. */
  default void reload() throws IOException {}
}
