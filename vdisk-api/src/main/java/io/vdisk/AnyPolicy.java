package io.vdisk;

import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Whatever an image names. As in QEMU, a name behind {@code file:} is taken as it stands: if it is
 * relative, it begins at the folder that the process works in.
 */
final class AnyPolicy implements ReferencePolicy {
  static final AnyPolicy INSTANCE = new AnyPolicy();

  private static final String FILE = "file";

  private AnyPolicy() {}

  @Override
  public HostFile open(Reference reference) throws IOException {
    HostFile from = reference.from();
    return LocalFile.open(path(reference), reference.writable(), from.isLocked(), from.pageCache());
  }

  @Override
  public HostFile create(Reference reference) throws IOException {
    return LocalFile.create(path(reference), reference.from().pageCache());
  }

  private static Path path(Reference reference) throws IOException {
    ReferencedPath named = new ReferencedPath(reference);
    if (named.isJson()) {
      return named.json();
    }
    Optional<String> protocol = named.protocol();
    if (protocol.isEmpty()) {
      return named.inFolder();
    }
    if (protocol.get().equals(FILE)) {
      return named.parse(named.withoutProtocol());
    }
    throw named.denied(
        "the protocol '"
            + protocol.get()
            + "' is not supported here; open it yourself and use OpenOptions.withBacking(...)");
  }
}
