package io.vdisk.tools;

import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The files that an image consists of beside its own, as they are made. Thread-safe. */
final class FurtherFiles {
  private final List<Path> made = new CopyOnWriteArrayList<>();

  /** A policy that does as {@code policy} does, and remembers what was made. */
  ReferencePolicy recording(ReferencePolicy policy) {
    return new ReferencePolicy() {
      @Override
      public HostFile open(Reference reference) throws IOException {
        return policy.open(reference);
      }

      @Override
      public HostFile create(Reference reference) throws IOException {
        HostFile file = policy.create(reference);
        file.path().ifPresent(made::add);
        return file;
      }
    };
  }

  /** Deletes what was made. */
  void delete() throws IOException {
    for (Path path : made) {
      Files.deleteIfExists(path);
    }
  }
}
