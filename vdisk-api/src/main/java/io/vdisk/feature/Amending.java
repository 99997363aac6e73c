package io.vdisk.feature;

import io.vdisk.Progress;
import java.io.IOException;
import java.util.Map;

/** Choices that were made when the image was created can be changed. */
public interface Amending {
  /**
   * Changes some of the format's own options, spelled as for {@link io.vdisk.CreateOptions}. Either
   * all of them hold afterwards or, where this throws, those before the one that failed. Guest data
   * stays what it is. Other requests wait meanwhile.
   *
   * @throws IllegalArgumentException if the format has no such option, or not this value
   * @throws io.vdisk.UnsupportedImageException if this image cannot have it
   * @throws IllegalStateException if the image is open for reading alone
   */
  void amend(Map<String, String> options, Progress progress) throws IOException;
}
