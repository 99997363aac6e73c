package io.vdisk;

import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** Regular files in one folder, told by their real paths. */
final class DirectoryPolicy implements ReferencePolicy {
  private static final String ALLOW_OTHERS =
      "ReferencePolicy.within(folder) or ReferencePolicy.any() would allow it";
  private static final String ALLOW_ANY = "ReferencePolicy.any() would allow it";

  private final @Nullable Path root;

  /** Files in {@code root} or below; null: in the folder of the file that names them. */
  DirectoryPolicy(@Nullable Path root) {
    this.root = root;
  }

  @Override
  public HostFile open(Reference reference) throws IOException {
    ReferencedPath named = new ReferencedPath(reference);
    Path folder = folder(named);
    Path real = real(named, folder);
    check(real, folder, named);
    BasicFileAttributes attributes =
        Files.readAttributes(real, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (!attributes.isRegularFile()) {
      throw named.denied("it is not a regular file; " + ALLOW_ANY);
    }
    HostFile file =
        LocalFile.open(
            real,
            reference.writable(),
            reference.from().isLocked(),
            reference.from().pageCache(),
            LinkOption.NOFOLLOW_LINKS);
    return guarded(file, real, folder, named);
  }

  @Override
  public HostFile create(Reference reference) throws IOException {
    ReferencedPath named = new ReferencedPath(reference);
    Path folder = folder(named);
    Path path = path(named);
    Path name = path.getFileName();
    Path parent = path.toAbsolutePath().getParent();
    if (name == null || parent == null) {
      throw named.denied("that is no name of a file");
    }
    Path real = real(parent, named, folder).resolve(name);
    check(real, folder, named);
    return guarded(LocalFile.create(real, reference.from().pageCache()), real, folder, named);
  }

  /** The allowed folder's real path. */
  private Path folder(ReferencedPath named) throws IOException {
    return (root == null ? named.folder() : root).toRealPath();
  }

  private static Path path(ReferencedPath named) throws ReferenceDeniedException {
    if (named.isJson()) {
      return named.json();
    }
    if (named.protocol().isPresent()) {
      throw named.denied(
          "'" + named.protocol().get() + ":' is the prefix of a protocol; " + ALLOW_ANY);
    }
    return named.inFolder();
  }

  private Path real(ReferencedPath named, Path folder) throws IOException {
    return real(path(named), named, folder);
  }

  /** Whether something outside exists, and what, is not told. */
  private Path real(Path path, ReferencedPath named, Path folder) throws IOException {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      Path lexical = path.toAbsolutePath().normalize();
      Path asGiven = (root == null ? named.folder() : root.toAbsolutePath()).normalize();
      if (lexical.startsWith(folder) || lexical.startsWith(asGiven)) {
        throw e;
      }
      throw outside(named, folder);
    }
  }

  private void check(Path real, Path folder, ReferencedPath named) throws ReferenceDeniedException {
    boolean inside =
        root == null
            ? folder.equals(real.getParent())
            : real.startsWith(folder) && !real.equals(folder);
    if (!inside) {
      throw outside(named, folder);
    }
  }

  private static ReferenceDeniedException outside(ReferencedPath named, Path folder) {
    return named.denied("it does not lie in " + folder + "; " + ALLOW_OTHERS);
  }

  /** What was looked at by name and what was opened must be one file. */
  private static HostFile guarded(HostFile file, Path real, Path folder, ReferencedPath named)
      throws IOException {
    boolean same = false;
    try {
      same = new FolderGuard(folder).holds(real, file.key());
    } finally {
      if (!same) {
        file.close();
      }
    }
    if (!same) {
      throw named.denied("it was replaced while it was being opened");
    }
    return file;
  }
}
