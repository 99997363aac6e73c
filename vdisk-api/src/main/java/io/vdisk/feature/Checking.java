package io.vdisk.feature;

import io.vdisk.Progress;
import java.io.IOException;

/** The image's metadata can be checked against itself. */
public interface Checking {
  /**
   * Reads all metadata and changes nothing. Other requests wait meanwhile.
   *
   * @throws IOException if the host fails; faults of the image are in the report
   */
  CheckReport check(Progress progress) throws IOException;
}
