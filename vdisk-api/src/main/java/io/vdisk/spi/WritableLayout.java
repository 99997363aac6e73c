package io.vdisk.spi;

import io.vdisk.Capability;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;

/**
 * A layout that can set host space aside. The order in which metadata becomes durable is the
 * layout's ({@code WriteBack}); moving data, copy-on-write and waiting are the engine's.
 */
public interface WritableLayout extends ImageLayout {
  /** Which of {@code DISCARD} and {@code FAST_ZERO} this image has; constant. */
  default Set<Capability> capabilities() {
    return EnumSet.of(Capability.DISCARD, Capability.FAST_ZERO);
  }

  /**
   * Called before every guest write, zeroing and discard, in place or not, by many threads inside
   * the gate. The first call makes the image's "being written" marks durable; later ones cost a
   * volatile read, or set bits of dirty bitmaps in memory.
   */
  default void beforeWrite(long offset, long length) throws IOException {}

  /**
   * Sets host space aside for a write to the run that starts at {@code offset}. The engine holds
   * the units of the range and has found the first byte not writable in place.
   *
   * @param length most guest bytes to provide for; may span units
   * @throws NoSpaceException if the host has no room; nothing was set aside
   */
  Allocation allocate(long offset, long length) throws IOException;

  /**
   * Records that whole granules read as zero, and gives their space back unless told to keep it.
   * Where the format can do neither it may say that a run reads as zero already.
   *
   * @param offset aligned to {@link #granule()}
   * @param length a multiple of it, or up to the end of the disk
   * @return bytes done from {@code offset} on, maybe 0: the engine then writes zeroes, or leaves
   *     what is to be discarded
   */
  long zero(long offset, long length, boolean keepSpace) throws IOException;

  /** Writes metadata back in the format's order; returns when it and all guest data are durable. */
  void flush() throws IOException;

  /**
   * Writes what is written when an image is closed in order: marks of a clean end, bitmaps. Called
   * once, alone, after a {@link #flush} and before the last one.
   */
  default void finish() throws IOException {}

  /**
   * The last sealed batch of freed space whose references are durably gone. Rises, also by
   * write-backs of the layout's own.
   */
  default long durableBatch() {
    return 0;
  }

  /** Bytes of freed space that wait for {@link #recycle}; the engine flushes when they grow. */
  default long quarantinedBytes() {
    return 0;
  }

  /**
   * Offers the space of {@code batch} and all before it again. The engine calls with rising
   * numbers, one call at a time, without a slot, after every request that may have seen the space
   * has ended and every decoded unit was dropped. A second call for a batch does nothing.
   */
  default void recycle(long batch) throws IOException {}
}
