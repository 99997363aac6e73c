package io.vdisk.spi;

import io.vdisk.ImageInfo;
import io.vdisk.Limits;
import io.vdisk.Reference;
import io.vdisk.Secrets;
import io.vdisk.file.HostFile;
import java.io.IOException;

/**
 * What a format is given to make one image. Owns the files that it hands out; they are deleted if
 * creation fails. One thread.
 */
public interface CreateContext {
  /** What to refuse. */
  Limits limits();

  /** Who knows passphrases and keys. */
  Secrets secrets();

  /** Creates another file of the new image (an extent, a data file), through the policy. */
  HostFile file(Reference reference) throws IOException;

  /**
   * Looks at the backing file that the new image will name, through the policy: for its size and
   * format.
   */
  ImageInfo backingInfo(Reference reference) throws IOException;
}
