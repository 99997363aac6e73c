package io.vdisk.testkit;

import io.vdisk.file.HostFile;
import java.util.List;

/**
 * What a power cut left of the files of a {@link CrashDisk}.
 *
 * @param files in the order of their creation
 * @param hash of the content and the size of all files: images that differ have, but for a chance
 *     of 2 to the -64th, different ones
 * @param torn whether a file ends within a sector and lost something of that sector's value
 */
public record CrashImage(List<HostFile> files, long hash, boolean torn) {
  /** Makes a copy of the list. */
  public CrashImage {
    files = List.copyOf(files);
  }
}
