package io.vdisk.bench.engine;

import io.vdisk.file.LocalFile;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.Objects;

/** Requests past the page cache. */
final class Direct {
  private Direct() {}

  /**
   * What is to become of the page cache.
   *
   * @throws IOException if it is to be passed by, and files of this folder cannot: the library
   *     would use it then, and say nothing
   */
  static PageCache cache(boolean wanted, Path folder) throws IOException {
    if (!wanted) {
      return PageCache.USED;
    }
    Path file = Files.createTempFile(folder, "direct", "");
    try {
      LocalFile.openDirect(file, true, true).close();
    } finally {
      Files.delete(file);
    }
    return PageCache.BYPASSED;
  }

  /** For a {@code FileChannel}. Compilers warn of its name, whatever they are told. */
  static OpenOption option() throws IOException {
    try {
      Class<?> options = Class.forName("com.sun.nio.file.ExtendedOpenOption");
      return (OpenOption) Objects.requireNonNull(options.getField("DIRECT").get(null));
    } catch (ReflectiveOperationException e) {
      throw new IOException("this JVM opens nothing past the page cache", e);
    }
  }
}
