package io.vdisk.format.qcow;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.Secrets;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.PlainFormat;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;

/** Images that other programs made; {@code samples/README.md} tells which and where they are of. */
final class Samples {
  static final String BASE = "5410d0861d3f5a201983dff1fb773e24adc2db98d7594a3551ade8976b942e39";

  /** Gives the sample that an image names. */
  static final ReferencePolicy POLICY = reference -> load(reference.name());

  /** The passphrase of every encrypted image here. */
  static final Secrets SECRETS =
      (file, purpose) -> Optional.of("vdisk".getBytes(StandardCharsets.US_ASCII));

  private Samples() {}

  static MemoryFile load(String name) throws IOException {
    try (InputStream resource = Samples.class.getResourceAsStream("samples/" + name + ".gz")) {
      if (resource == null) {
        throw new FileNotFoundException(name);
      }
      try (InputStream content = new GZIPInputStream(resource)) {
        return new MemoryFile(name, content.readAllBytes());
      }
    }
  }

  static OpenOptions reading() {
    return OpenOptions.readOnly()
        .withFormats(List.of(new QcowFormat(), new PlainFormat()))
        .withReferences(POLICY);
  }

  static OpenOptions writing() {
    return OpenOptions.readWrite()
        .withFormats(List.of(new QcowFormat(), new PlainFormat()))
        .withReferences(POLICY);
  }

  static String sha256(HostFile file) throws IOException {
    try (BlockDevice device = Images.open(file, reading())) {
      return sha256(device);
    }
  }

  static String sha256(BlockDevice device) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(content(device));
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** The whole disk, read in pieces that are no multiple of anything. */
  static byte[] content(BlockDevice device) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(device.size()));
    for (int done = 0; done < content.capacity(); done = content.limit()) {
      content.limit(Math.min(content.capacity(), done + 100_003));
      device.read(content, done);
    }
    return content.array();
  }
}
