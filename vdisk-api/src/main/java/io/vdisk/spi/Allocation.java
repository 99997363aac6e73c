package io.vdisk.spi;

import io.vdisk.file.HostFile;
import java.io.IOException;

/**
 * Host space set aside for one write; invisible until committed. Used by one thread, and ended by
 * exactly one of {@link #commit} and {@link #abort}.
 */
public interface Allocation {
  /** Where the space is. */
  HostFile file();

  /** Where the first guest byte of the write goes; the head lies before it. */
  long fileOffset();

  /** Guest bytes of the write that it provides for, from its first one on; at least 1. */
  long length();

  /** Guest bytes before the write that must be copied into the same unit. */
  long head();

  /** Guest bytes behind {@link #length} that must be copied into the same unit. */
  long tail();

  /** Whether the space reads as zero now: never handed out before, past the end of the file. */
  boolean zeroed();

  /** Makes readers see it: the single point at which they begin to. On failure they never will. */
  void commit() throws IOException;

  /** Gives the space back. Never throws. */
  void abort();
}
