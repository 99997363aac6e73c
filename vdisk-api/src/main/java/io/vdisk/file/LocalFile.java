package io.vdisk.file;

import java.io.IOException;
import java.nio.file.Path;

/** A file of the host. */
final class LocalFile {
  private LocalFile() {}

  static HostFile open(Path path, boolean writable) throws IOException {
    throw new IOException("not yet: " + path);
  }
}
