package io.vdisk.feature;

import io.vdisk.Progress;
import java.io.IOException;

/**
 * Faults of the image's metadata can be mended. Guest data is never touched: what a wrong table has
 * lost stays lost.
 */
public interface Repairing {
  /** What is mended. */
  enum Scope {
    /** Space that nothing uses is given back. */
    LEAKS,
    /** Everything that can be: counts that are too low, too, and marks. */
    ALL
  }

  /**
   * Looks at all metadata and mends what it can. Other requests wait meanwhile. It can be ended at
   * any instant and run again.
   *
   * @return what was found, and how much of it was mended; a check afterwards tells what is left
   * @throws IllegalStateException if the image is open for reading alone
   * @throws IOException if the host fails; faults of the image are in the report
   */
  CheckReport repair(Scope scope, Progress progress) throws IOException;
}
