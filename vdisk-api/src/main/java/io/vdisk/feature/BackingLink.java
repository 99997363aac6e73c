package io.vdisk.feature;

import java.io.IOException;
import java.util.Optional;

/** What the image says of its backing file can be changed. */
public interface BackingLink {
  /**
   * Names another backing file, or none. Nothing is copied: the new one must read the same wherever
   * this image holds nothing, or the disk changes. Takes effect when the image is opened again.
   *
   * @param name as it is to be written; empty: the image stands alone
   * @param format the backing file's format as it is to be written; empty: not recorded
   * @throws io.vdisk.UnsupportedImageException if the header has no room for the name
   */
  void change(Optional<String> name, Optional<String> format) throws IOException;
}
