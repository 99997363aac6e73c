package io.vdisk.backend.tap;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What was answered to guests of one image, and may not be in it: the logs that a process left that
 * was killed. It belongs to the image, whoever comes for it: so it is written before the image is
 * served again, and goes only when the image has it. Whoever calls has the image open, and nobody
 * else writes to it.
 *
 * @param beginning how the files begin, which is the image's own ({@link
 *     ServeOptions#withWriteLogs})
 */
public record KeptWrites(Path beginning) {
  /**
   * An image that was changed so long after the last request began was changed by somebody else:
   * twice the time that Linux gives a SCSI disk for a command.
   */
  static final Duration LONGEST_REQUEST = Duration.ofSeconds(60);

  /** Whether there may be something to be written. The image need not be open. */
  public boolean isAny() throws IOException {
    return !files().isEmpty();
  }

  /**
   * Writes it, makes it durable, and keeps it no longer. Killed meanwhile, it is done from its
   * beginning by who comes next.
   *
   * @param changed when the image's files were changed last, before they were opened
   * @throws IOException if it cannot be written, or must not be: to a disk that is read-only, after
   *     the image was changed by others, or from several logs, whose order nobody knows. It stays
   *     kept
   */
  public void writeAgain(BlockDevice disk, boolean isReadOnly, Instant changed) throws IOException {
    List<WriteLog> left = left();
    if (!left.isEmpty()) {
      check(left, isReadOnly, changed);
      left.get(0).replay(disk);
      left.get(0).delete(); // with its memory, although it is mapped
    }
    drop();
  }

  private static void check(List<WriteLog> left, boolean isReadOnly, Instant changed)
      throws IOException {
    WriteLog log = left.get(0);
    if (left.size() > 1) {
      throw new IOException(
          "what guests wrote before a process was killed lies in several logs, whose order is not"
              + " known: "
              + left
              + "; without them the image opens as it is");
    }
    if (isReadOnly) {
      throw new IOException(
          "what a guest wrote before a process was killed lies in "
              + log
              + ", and the disk is read-only: open it for writing first");
    }
    if (changed.isAfter(log.lastBeginning().plus(LONGEST_REQUEST))) {
      throw new IOException(
          String.format(
              "the image was changed at %s, and what a guest wrote before a process was killed, the"
                  + " last at %s, lies in %s: without that file the image opens as it is, and with"
                  + " an earlier time of its own (touch -d) that is written over what it has",
              changed, log.lastBeginning(), log));
    }
  }

  /** All that was answered is durable, and nobody serves the image: what is kept of it goes. */
  public void drop() throws IOException {
    for (Path file : files()) {
      Files.deleteIfExists(file);
    }
  }

  private List<WriteLog> left() throws IOException {
    List<WriteLog> left = new ArrayList<>();
    for (Path file : files()) {
      WriteLog log = WriteLog.left(file);
      if (!log.isEmpty()) {
        left.add(log);
      }
    }
    return left;
  }

  private List<Path> files() throws IOException {
    Path folder = beginning.toAbsolutePath().resolveSibling("");
    String prefix = beginning.getFileName().toString();
    List<Path> files = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> found =
          Files.newDirectoryStream(
              folder, file -> file.getFileName().toString().startsWith(prefix))) {
        found.forEach(files::add);
      }
    }
    return files;
  }
}
