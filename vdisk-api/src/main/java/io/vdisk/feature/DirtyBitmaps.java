package io.vdisk.feature;

import io.vdisk.Extent;
import io.vdisk.UnsupportedImageException;
import java.io.IOException;
import java.util.List;

/** The image records which ranges were written since some moment: for incremental backup. */
public interface DirtyBitmaps {
  /**
   * One bitmap.
   *
   * @param name unique in the image
   * @param granularity bytes for which one bit stands, a power of two
   * @param enabled whether writes set bits
   * @param consistent whether it can be trusted; one that cannot may only be removed
   */
  record Bitmap(String name, long granularity, boolean enabled, boolean consistent) {}

  /** The bitmaps of the image. */
  List<Bitmap> list() throws IOException;

  /** Begins to record writes. */
  Bitmap create(String name, long granularity) throws IOException;

  /** Forgets what was written so far. */
  void clear(String name) throws IOException;

  /** Adds to one bitmap what another has. */
  void merge(String target, String source) throws IOException;

  /**
   * Adds ranges to a bitmap, such as another image's.
   *
   * @param ranges inside the disk; each unit of which they touch any is marked
   */
  default void merge(String target, Iterable<Extent> ranges) throws IOException {
    throw new UnsupportedImageException("the bitmaps of this image take none of another image's");
  }

  /** Records writes, or stops recording. */
  void setEnabled(String name, boolean enabled) throws IOException;

  /** Removes a bitmap. */
  void remove(String name) throws IOException;

  /** The ranges that were written, ascending: extents of kind {@code DATA} without a place. */
  Iterable<Extent> dirty(String name) throws IOException;
}
