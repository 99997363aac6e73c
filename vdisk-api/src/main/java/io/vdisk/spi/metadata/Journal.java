package io.vdisk.spi.metadata;

import java.io.IOException;
import java.util.List;

/**
 * A log that makes a set of table changes durable at once (VHDX). One write-back at a time calls
 * it.
 */
public interface Journal {
  /** Slices that one entry can hold; a write-back never brings more. */
  int capacity();

  /**
   * Writes an entry with the images and makes it durable. From then on, opening the image would
   * replay it: this is the moment in which the changes are exposed.
   */
  void record(List<Slice.Image> images) throws IOException;

  /** The images are durable in their places too: the entry is no longer needed. */
  void settled() throws IOException;
}
