package io.vdisk.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file of the host. */
final class LocalFile {
  private LocalFile() {}

  static HostFile open(Path path, boolean writable) throws IOException {
    return new ChannelFile(
        writable
            ? FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)
            : FileChannel.open(path));
  }
}
