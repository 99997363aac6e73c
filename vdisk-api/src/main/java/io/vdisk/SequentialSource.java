package io.vdisk;

import java.io.Closeable;
import java.io.IOException;

/** An image that can only be read in the order in which it arrives. One thread. */
public interface SequentialSource extends Closeable {
  /** What the image says of itself. */
  ImageInfo info();

  /**
   * Takes the next range. Each guest byte comes at most once; what never comes is zero.
   *
   * @return false when there is no more, {@code into} is then empty
   */
  boolean next(Piece into) throws IOException;
}
