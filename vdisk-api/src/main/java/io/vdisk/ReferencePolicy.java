package io.vdisk;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Decides what an image may name. Every file that an image's own bytes ask for is opened or created
 * here and nowhere else. Stateless as a rule; may be asked by several threads.
 */
public interface ReferencePolicy {
  /**
   * Opens what an image names.
   *
   * @return a file that the caller closes; writable if the reference is
   * @throws ReferenceDeniedException if the image may not name it
   */
  HostFile open(Reference reference) throws IOException;

  /**
   * Creates, empty, what an image being created names. Refused unless a policy says otherwise.
   *
   * @throws ReferenceDeniedException if the image may not name it
   */
  default HostFile create(Reference reference) throws IOException {
    throw new ReferenceDeniedException(reference, "this reference policy creates no files");
  }

  /** Nothing may be named. */
  static ReferencePolicy deny() {
    return reference -> {
      throw new ReferenceDeniedException(
          reference, "references are denied unless a ReferencePolicy allows them");
    };
  }

  /** A regular file whose real path lies in the folder of the file that names it. */
  static ReferencePolicy sameDirectory() {
    return new DirectoryPolicy(null);
  }

  /** A regular file whose real path lies in {@code root} or below. */
  static ReferencePolicy within(Path root) {
    return new DirectoryPolicy(root);
  }

  /** Anything, devices included, relative to the folder of the file that names it. */
  static ReferencePolicy any() {
    return AnyPolicy.INSTANCE;
  }
}
