package io.vdisk.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file of the host. */
public final class LocalFile {
  private LocalFile() {}

  /** Opens a file. */
  public static HostFile open(Path path, boolean writable) throws IOException {
    return open(path, writable, true);
  }

  /** Opens a file, locked or not. */
  public static HostFile open(Path path, boolean writable, boolean locked) throws IOException {
    return new ChannelFile(
        writable
            ? FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)
            : FileChannel.open(path));
  }

  /** Creates a file. */
  public static HostFile create(Path path) throws IOException {
    return new ChannelFile(
        FileChannel.open(
            path,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE_NEW));
  }
}
