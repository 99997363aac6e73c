package io.vdisk.feature;

import java.io.IOException;

/** The virtual size can be changed. */
public interface Resizing {
  /**
   * Grows the disk by bytes that read as zero, whatever a backing file has there, or cuts it: what
   * lies behind the new end is lost. Other requests wait meanwhile.
   *
   * @param virtualSize bytes, at least 0
   * @throws io.vdisk.UnsupportedImageException if the format cannot have a disk of this size
   */
  void resize(long virtualSize) throws IOException;
}
