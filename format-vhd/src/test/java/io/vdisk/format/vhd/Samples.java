package io.vdisk.format.vhd;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.Secrets;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.PlainFormat;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;

/** Images that other programs made; {@code samples/README.md} tells which and where they are of. */
final class Samples {
  static final List<ImageFormat> FORMATS = List.of(new VhdFormat(), new PlainFormat());

  /** Gives the sample that an image names. */
  static final ReferencePolicy POLICY =
      reference -> {
        try {
          return load(reference.name());
        } catch (FileNotFoundException e) {
          throw new NoSuchFileException(reference.name());
        }
      };

  /** The key of every encrypted image here. */
  static final Secrets KEY =
      (file, purpose) -> Optional.of(bytes("crypt512,aes-xts-plain,512.key"));

  private Samples() {}

  static byte[] bytes(String name) {
    try {
      MemoryFile file = load(name);
      byte[] bytes = new byte[(int) file.size()];
      file.readFully(ByteBuffer.wrap(bytes), 0);
      return bytes;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

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
    return OpenOptions.readOnly().withFormats(FORMATS).withReferences(POLICY);
  }

  static OpenOptions writing() {
    return OpenOptions.readWrite().withFormats(FORMATS).withReferences(POLICY);
  }

  static String sha256(HostFile file, OpenOptions options) throws IOException {
    try (BlockDevice device = Images.open(file, options)) {
      return sha256(content(device));
    }
  }

  static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
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
