package io.vdisk.file.host;

import java.io.IOException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Opens files by the operating system's own calls, which can more than {@code java.nio}. An
 * implementation is found by {@link java.util.ServiceLoader}; without one, or where it says that it
 * is not available, everything works through {@code java.nio} with the same results.
 */
public interface HostSystem {
  /** Whether its calls can be used in this JVM on this host. Asked once. */
  boolean isAvailable();

  /**
   * Opens a file that exists.
   *
   * @param writable whether for writing too
   * @param links whether a symbolic link is refused; otherwise it is followed
   */
  NativeFile open(Path path, boolean writable, LinkOption... links) throws IOException;

  /**
   * Opens a file past the page cache, as {@link #open}.
   *
   * @throws IOException if its file system cannot
   */
  NativeFile openDirect(Path path, boolean writable, LinkOption... links) throws IOException;

  /** Opens a character device that exists, for reading and writing. */
  NativeDevice openDevice(Path path) throws IOException;

  /** The system that is installed and available; empty if none. Looked up at the first call. */
  static Optional<HostSystem> installed() {
    return InstalledSystem.FOUND;
  }
}
