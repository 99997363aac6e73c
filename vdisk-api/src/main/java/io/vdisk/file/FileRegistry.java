package io.vdisk.file;

import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeFile;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Every file of the host that this JVM has open through this library, by its key: however often it
 * is opened and by whatever name, there is one {@link OpenFile}. Nobody else in the library opens
 * or closes channels on such files. Any thread may call.
 */
final class FileRegistry {
  /** The one of this JVM. */
  static final FileRegistry INSTANCE = new FileRegistry(opener(HostSystem.installed()));

  /** How often a file may be replaced by another one while it is being opened. */
  private static final int TRIES = 10;

  /** Bits of a Unix mode that tell what kind of file it is, and those kinds that cannot be read. */
  private static final int KIND = 0xf000;

  private static final int FIFO = 0x1000;
  private static final int BLOCK_DEVICE = 0x6000;
  private static final int SOCKET = 0xc000;

  /** A block device, by its number: it may have several nodes. */
  record DeviceKey(Object number) {}

  /** A file of a file system that is not the default one. */
  record ForeignKey(FileSystem system, Object key) {}

  private final Map<Object, OpenFile> files = new ConcurrentHashMap<>();
  private final OpenFile.Opener opener;

  FileRegistry(OpenFile.Opener opener) {
    this.opener = opener;
  }

  static OpenFile.Opener opener(Optional<HostSystem> system) {
    if (system.isPresent()) {
      return new OpenFile.Opener() {
        @Override
        public NativeFile open(Path path, boolean writable, LinkOption... links)
            throws IOException {
          return system.get().open(path, writable, links);
        }

        @Override
        public NativeFile openDirect(Path path, boolean writable, LinkOption... links)
            throws IOException {
          return system.get().openDirect(path, writable, links);
        }
      };
    }
    return File.separatorChar == '\\' ? BlockingFile::open : AsyncFile::open;
  }

  /** Opens a file of the default file system. */
  LocalFile open(Path path, boolean writable, boolean locked, LinkOption... links)
      throws IOException {
    return open(path, writable, locked, PageCache.USED, links);
  }

  /** Opens a file of the default file system; through the page cache where it must be. */
  LocalFile open(Path path, boolean writable, boolean locked, PageCache cache, LinkOption... links)
      throws IOException {
    try {
      return open(path, new OpenFile.Use(writable, locked, cache), links);
    } catch (IOException e) {
      if (cache != PageCache.BYPASSED) {
        throw e;
      }
      // Where it is not the page cache that this is about, the same is refused once more.
      return open(path, new OpenFile.Use(writable, locked, PageCache.DROPPED), links);
    }
  }

  /** Opens a file of the default file system. */
  LocalFile open(Path path, OpenFile.Use use, LinkOption... links) throws IOException {
    for (int i = 0; i < TRIES; i++) {
      Object key = key(path, links);
      OpenFile file = files.computeIfAbsent(key, k -> new OpenFile(k, opener));
      LocalFile opened = enter(file, path, use, links);
      if (opened != null) {
        boolean same = false;
        try {
          same = key.equals(key(path, links));
          if (same) {
            return opened;
          }
        } finally {
          if (!same) {
            opened.close();
          }
        }
      }
    }
    throw new IOException(path + " is replaced by another file again and again");
  }

  private @Nullable LocalFile enter(OpenFile file, Path path, OpenFile.Use use, LinkOption... links)
      throws IOException {
    boolean entered = false;
    try {
      NativeFile descriptor = file.enter(path, use, links);
      entered = descriptor != null;
      return descriptor == null ? null : new LocalFile(this, file, descriptor, path, use);
    } finally {
      if (!entered && file.isGone()) {
        files.remove(file.key(), file);
      }
    }
  }

  void leave(OpenFile file, OpenFile.Use use) throws IOException {
    try {
      file.leave(use);
    } finally {
      if (file.isGone()) {
        files.remove(file.key(), file);
      }
    }
  }

  /** How many files are open. */
  int count() {
    return files.size();
  }

  /**
   * What the file of this name is known by, of whatever file system.
   *
   * @throws FileSystemException if it is nothing to read and write at an offset
   */
  static Object key(Path path, LinkOption... links) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class, links);
    if (attributes.isDirectory() || attributes.isSymbolicLink()) {
      throw new FileSystemException(path.toString(), null, "is not a file");
    }
    if (attributes.isOther()
        && path.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      Map<String, Object> unix = Files.readAttributes(path, "unix:mode,rdev", links);
      int kind = (int) unix.getOrDefault("mode", 0) & KIND;
      if (kind == FIFO || kind == SOCKET) {
        throw new FileSystemException(path.toString(), null, "is a pipe or socket");
      }
      if (kind == BLOCK_DEVICE) {
        return new DeviceKey(unix.getOrDefault("rdev", path));
      }
    }
    Object key = attributes.fileKey();
    if (key == null) {
      return path.toRealPath(links);
    }
    return isDefault(path) ? key : new ForeignKey(path.getFileSystem(), key);
  }

  static boolean isDefault(Path path) {
    return path.getFileSystem().equals(FileSystems.getDefault());
  }
}
