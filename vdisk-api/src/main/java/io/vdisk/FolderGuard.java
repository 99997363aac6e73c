package io.vdisk;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.util.Iterator;

/**
 * Tells whether a file that is open lies in a folder, without being deceived by who moves folders
 * and links about meanwhile: it goes down from the folder name by name and follows no link.
 */
final class FolderGuard {
  private final Path folder;

  /** Guards {@code folder}, a real path. */
  FolderGuard(Path folder) {
    this.folder = folder;
  }

  /**
   * Whether the file of this key is what {@code real} names, a real path in the folder. Where
   * folders cannot be held open, or files have no key, real paths are compared once more.
   */
  boolean holds(Path real, Object key) throws IOException {
    boolean keyed = real.getFileSystem().equals(FileSystems.getDefault());
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
      if (keyed && stream instanceof SecureDirectoryStream<Path> secure) {
        return key.equals(keyOf(secure, folder.relativize(real).iterator()));
      }
    }
    return real.toRealPath().equals(real);
  }

  private static Object keyOf(SecureDirectoryStream<Path> stream, Iterator<Path> names)
      throws IOException {
    Path name = names.next();
    if (names.hasNext()) {
      try (SecureDirectoryStream<Path> next =
          stream.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
        return keyOf(next, names);
      }
    }
    return stream
        .getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
        .readAttributes()
        .fileKey();
  }
}
