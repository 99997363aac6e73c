package io.vdisk.format.vhd;

import io.vdisk.ImageInfo;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/** When a file was changed last, as children record it of their parents. */
final class ModificationTime {
  /** The key under which an image tells it, as an instant. */
  static final String KEY = "modified";

  private static final long MAX = 0xffff_ffffL;

  private ModificationTime() {}

  /** Seconds since 2000, 0 to 2^32 - 1; empty where the file has no time. */
  static Optional<Long> of(HostFile file) {
    Optional<Path> path = file.path();
    if (path.isEmpty()) {
      return Optional.empty();
    }
    try {
      long unix = Files.getLastModifiedTime(path.get()).toInstant().getEpochSecond();
      return Optional.of(Math.max(0, Math.min(MAX, unix - HardDiskFooter.EPOCH)));
    } catch (IOException e) {
      return Optional.empty(); // a time is no reason to fail
    }
  }

  /** What an image tells of it, seconds since 2000; empty if it tells nothing. */
  static Optional<Long> of(ImageInfo info) {
    return info.details().get(KEY) instanceof String instant
        ? Optional.of(Instant.parse(instant).getEpochSecond() - HardDiskFooter.EPOCH)
        : Optional.empty();
  }
}
