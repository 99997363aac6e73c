package io.vdisk.backend.tap.disk;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.common.hash.Hashing;
import io.vdisk.backend.tap.KeptWrites;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The images that a disk writes, as they are before it opens them: the guest's and the secondary.
 *
 * @param logged a name of the one that what guests wrote is kept for: the first that may lose what
 *     was written to it if its process is killed, which is locked while it is open; of several raw
 *     ones the guest's. Its real path, and what the host knows the file by; of a block device,
 *     whose node is another one when its volume was inactive for a while, the name that was asked
 *     for
 * @param changed when a file of them was changed last, as the host tells. Of a block device it is
 *     not known: the time of its node becomes another one whenever somebody closes it
 */
record WrittenImages(String logged, Instant changed) {
  /** Those of a request. What does not exist is refused when it is opened. */
  static WrittenImages of(OpenRequest asked) throws IOException {
    List<DiskDescriptor> images = new ArrayList<>();
    images.add(DiskChain.parse(asked.name()).top().image());
    if (asked.hasSecondary()) {
      images.add(DiskDescriptor.parse(asked.secondary().orElseThrow()));
    }
    DiskDescriptor logged =
        images.stream()
            .filter(image -> !image.type().isRaw() && image.type() != DiskType.RAM)
            .findFirst()
            .orElse(images.get(0));
    Instant changed = Instant.EPOCH;
    for (DiskDescriptor image : images) {
      Instant last = changed(image);
      changed = last.isAfter(changed) ? last : changed;
    }
    return new WrittenImages(name(logged), changed);
  }

  private static String name(DiskDescriptor image) throws IOException {
    if (!isThere(image)) {
      return image.toString();
    }
    if (!Files.isRegularFile(image.hostPath())) {
      return image.hostPath().toAbsolutePath().normalize().toString();
    }
    Path real = image.hostPath().toRealPath();
    return real + " " + Files.readAttributes(real, BasicFileAttributes.class).fileKey();
  }

  private static Instant changed(DiskDescriptor image) throws IOException {
    return isThere(image) && Files.isRegularFile(image.hostPath())
        ? Files.getLastModifiedTime(image.hostPath()).toInstant()
        : Instant.EPOCH;
  }

  private static boolean isThere(DiskDescriptor image) throws DiskException {
    return image.type() != DiskType.RAM && Files.exists(image.hostPath());
  }

  /** What is kept for them in files that begin so. */
  KeptWrites kept(Path beginning) {
    String hash = Hashing.farmHashFingerprint64().hashString(logged, UTF_8).toString();
    return new KeptWrites(beginning.resolveSibling(beginning.getFileName() + hash + "."));
  }
}
