package io.vdisk.format.qcow2;

import io.vdisk.file.MemoryFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;

/** Images that other programs made; PROVENANCE.md beside them tells how. */
final class Samples {
  private Samples() {}

  static MemoryFile open(String name) throws IOException {
    try (InputStream packed = Samples.class.getResourceAsStream(name + ".gz")) {
      if (packed == null) {
        throw new FileNotFoundException(name);
      }
      return new MemoryFile(name, new GZIPInputStream(packed).readAllBytes());
    }
  }
}
