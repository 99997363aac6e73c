package io.vdisk.feature;

import java.io.IOException;

/**
 * Space on the host can be set aside for a range of the disk, so that what is written there later
 * finds it. Made by the engine for every writable image. Thread-safe.
 */
public interface Reserving {
  /**
   * Sets space aside without moving bytes: no byte of the disk changes. Where this takes nothing,
   * as on a host that must write to have space, or where the image keeps these bytes elsewhere,
   * writing does the same.
   *
   * @return bytes that have their space now, from the beginning of the range on; 0 if that is not
   *     possible
   */
  long reserve(long offset, long length) throws IOException;
}
