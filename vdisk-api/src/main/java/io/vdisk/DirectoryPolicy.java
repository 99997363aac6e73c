package io.vdisk;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Regular files in one folder. */
final class DirectoryPolicy implements ReferencePolicy {
  private final @Nullable Path root;

  /** Files in {@code root} or below; null: in the folder of the file that names them. */
  DirectoryPolicy(@Nullable Path root) {
    this.root = root;
  }

  @Override
  public HostFile open(Reference reference) throws IOException {
    throw new ReferenceDeniedException(reference, "outside " + root);
  }
}
