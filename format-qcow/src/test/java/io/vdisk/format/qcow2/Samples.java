package io.vdisk.format.qcow2;

import io.vdisk.Secrets;
import io.vdisk.file.MemoryFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.zip.GZIPInputStream;

/** Images that other programs made; PROVENANCE.md beside them tells how. */
final class Samples {
  /** The passphrase of every encrypted image here. */
  static final Secrets SECRETS =
      (file, purpose) -> Optional.of("vdisk".getBytes(StandardCharsets.US_ASCII));

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
