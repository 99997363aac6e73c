package io.vdisk.bench.input;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** A folder of the files that a file system is made of. Deleted by {@code close}. */
final class Stage implements AutoCloseable {
  /** The time of every file: that of the build's outputs. */
  static final Instant TIME = Instant.parse("2026-01-01T00:00:00Z");

  private static final int FILES_IN_A_FOLDER = 500;
  private static final long RANDOM_FILE = 4 << 20;
  private static final int PIECE = 1 << 16;

  private final Path folder;
  private int count;

  private Stage(Path folder) {
    this.folder = folder;
  }

  static Stage of(Path folder) throws IOException {
    Stage stage = new Stage(folder);
    stage.close();
    Files.createDirectories(folder);
    return stage;
  }

  Path folder() {
    return folder;
  }

  /** Real files and random ones in turn, so that each part of the disk has both. */
  void fill(long bytes) throws IOException {
    Random random = new Random(1);
    long real = 0;
    long made = 0;
    List<Path> files = RealFiles.inOrder();
    while (real + made < bytes) {
      long before = real;
      for (Path file : files) {
        if (real >= bytes / 2) {
          break;
        }
        real += copy(file, bytes / 8);
        while (made < real && made < bytes - bytes / 2) {
          made += random(random, Math.min(RANDOM_FILE, bytes - bytes / 2 - made));
        }
      }
      if (real == before) {
        throw new IOException("this machine has no files to fill a file system with");
      }
    }
  }

  /** Returns how much it was: nothing if the file is large, or cannot be read. */
  private long copy(Path file, long most) throws IOException {
    long size = Files.size(file);
    if (size > most || !Files.isReadable(file)) {
      return 0;
    }
    Path target = next();
    Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
    finish(target);
    return size;
  }

  private long random(Random random, long size) throws IOException {
    Path target = next();
    byte[] piece = new byte[PIECE];
    try (OutputStream out = Files.newOutputStream(target)) {
      for (long left = size; left > 0; left -= PIECE) {
        random.nextBytes(piece);
        out.write(piece, 0, (int) Math.min(left, PIECE));
      }
    }
    finish(target);
    return size;
  }

  private Path next() throws IOException {
    Path sub = folder.resolve(Integer.toString(count / FILES_IN_A_FOLDER));
    if (count % FILES_IN_A_FOLDER == 0) {
      Files.createDirectories(sub);
    }
    return sub.resolve(Integer.toString(count++));
  }

  private static void finish(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(TIME));
  }

  @Override
  public void close() throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> all = Files.walk(folder)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}
