package io.vdisk.feature;

import io.vdisk.file.HostFile;
import java.io.IOException;

/**
 * A change of the image that was cut off can be undone from a journal that another program kept in
 * a file of its own: {@code vhd-util resize} of Xen. Such an image may have to be opened to be
 * repaired.
 */
public interface JournalReplay {
  /**
   * Puts back what the journal holds. Everything in it is found right before anything is written;
   * it can be ended at any instant and run again. Other requests wait meanwhile.
   *
   * @param journal open for reading; stays the caller's
   * @throws io.vdisk.CorruptImageException if it is no journal, or that of another image
   * @throws IllegalStateException if the image is open for reading alone
   */
  void replay(HostFile journal) throws IOException;
}
