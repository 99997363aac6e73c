package io.vdisk.backend.tap.disk;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * What a driver opens, {@code type:path}. Immutable.
 *
 * @param type the driver
 * @param path all behind the first colon; at least one character
 */
public record DiskDescriptor(DiskType type, String path) {
  /**
   * Reads {@code type:path}.
   *
   * @throws DiskException if there is no colon or no path (EINVAL), no such driver (ENOENT), or it
   *     is not built (ENOSYS)
   */
  public static DiskDescriptor parse(String text) throws DiskException {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new DiskException(Errno.EINVAL, "'" + text + "' is no type:path, as aio:/path is");
    }
    DiskType type = DiskType.named(text.substring(0, colon));
    if (colon + 1 == text.length()) {
      throw new DiskException(Errno.EINVAL, "'" + text + "' names no path");
    }
    return new DiskDescriptor(type, text.substring(colon + 1));
  }

  /** The path as one of the host. */
  Path hostPath() throws DiskException {
    try {
      return Path.of(path);
    } catch (InvalidPathException e) {
      throw new DiskException(Errno.EINVAL, this + " is no path: " + e.getMessage(), e);
    }
  }

  @Override
  public String toString() {
    return type.label() + ":" + path;
  }
}
