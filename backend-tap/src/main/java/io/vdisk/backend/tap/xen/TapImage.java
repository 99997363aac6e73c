package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.nio.file.AccessMode;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An image of a device of blktap 1. Immutable.
 *
 * @param name the driver, a colon and the path
 * @param file where it is; empty for memory of a size
 */
record TapImage(String name, Optional<Path> file) {
  /**
   * What the node {@code params} names.
   *
   * @throws DiskException if it names no image
   */
  static TapImage of(String params) throws DiskException {
    String name = ImageName.of(params);
    String path = name.substring(name.indexOf(':') + 1);
    try {
      return new TapImage(
          name, path.startsWith("/") ? Optional.of(Path.of(path)) : Optional.empty());
    } catch (InvalidPathException e) {
      throw new DiskException(
          Errno.EINVAL, "'" + StoreText.shown(path) + "' is no path of this host", e);
    }
  }

  /**
   * Looks whether this process may use it, as blktapctrl does, in its words.
   *
   * @throws DiskException with ENOENT if it is missing, with EACCES otherwise
   */
  void checkAccess(boolean isReadOnly) throws DiskException {
    if (file.isEmpty()) {
      return;
    }
    AccessMode[] modes =
        isReadOnly
            ? new AccessMode[] {AccessMode.READ}
            : new AccessMode[] {AccessMode.READ, AccessMode.WRITE};
    Path path = file.get();
    try {
      path.getFileSystem().provider().checkAccess(path, modes);
    } catch (NoSuchFileException e) {
      throw new DiskException(Errno.ENOENT, "File not found.", e);
    } catch (IOException e) {
      throw new DiskException(Errno.EACCES, "Insufficient file permissions.", e);
    }
  }

  /** Whether both have the same file, by whatever driver and path. */
  boolean isSameAs(TapImage other) {
    if (file.isEmpty() || other.file.isEmpty()) {
      return name.equals(other.name);
    }
    try {
      return Files.isSameFile(file.get(), other.file.get());
    } catch (IOException e) {
      return false; // one is missing
    }
  }
}
