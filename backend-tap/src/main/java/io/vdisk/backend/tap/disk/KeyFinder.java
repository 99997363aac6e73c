package io.vdisk.backend.tap.disk;

import io.vdisk.Secrets;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Where the keys of encrypted VHDs come from: the request's, for every image of the chain; without
 * one, the file beside the image, {@code <name>,aes-xts-plain,512.key} (64 bytes) or {@code
 * ...,256.key} (32), where the name has lost what begins at its {@code .vhd}. One thread.
 */
final class KeyFinder implements Secrets {
  private static final String PURPOSE = "key";
  private static final int[] BITS = {512, 256};

  private final Optional<DiskKey> given;
  private boolean isUsed;

  KeyFinder(Optional<DiskKey> given) {
    this.given = given;
  }

  /** Whether anybody asked for a key. */
  boolean isUsed() {
    return isUsed;
  }

  @Override
  public Optional<byte[]> secret(String file, String purpose) {
    if (!purpose.equals(PURPOSE)) {
      return Optional.empty();
    }
    isUsed = true;
    return given.isPresent() ? given.map(DiskKey::copy) : beside(Path.of(file));
  }

  private static Optional<byte[]> beside(Path image) {
    String name = String.valueOf(image.getFileName());
    int extension = name.indexOf(".vhd");
    String base = extension < 0 ? name : name.substring(0, extension);
    for (int bits : BITS) {
      Path file = image.resolveSibling(base + ",aes-xts-plain," + bits + ".key");
      if (Files.exists(file)) {
        return Optional.of(key(file, bits / Byte.SIZE));
      }
    }
    return Optional.empty();
  }

  /** As many bytes as its name says. */
  private static byte[] key(Path file, int bytes) {
    byte[] read = new byte[bytes + 1];
    if (Files.isDirectory(file)) {
      throw new UncheckedIOException(
          new DiskException(Errno.EISDIR, file + " is a directory, and no key"));
    }
    try (InputStream in = Files.newInputStream(file)) {
      if (in.readNBytes(read, 0, read.length) != bytes) {
        throw new DiskException(Errno.EINVAL, file + " has not " + bytes + " bytes");
      }
      return Arrays.copyOf(read, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      Arrays.fill(read, (byte) 0);
    }
  }
}
