package io.vdisk.bench.input;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/**
 * A raw disk of random bytes, none of them a hole.
 *
 * @param mebibytes size of the disk
 */
public record RandomDisk(long mebibytes) implements Input {
  private static final int PIECE = 1 << 20;

  @Override
  public String fileName() {
    return "random-" + mebibytes + ".raw";
  }

  @Override
  public String format() {
    return "raw";
  }

  @Override
  public void make(Path target, Path folder) throws IOException {
    Random random = new Random(3);
    byte[] piece = new byte[PIECE];
    try (OutputStream out = Files.newOutputStream(target, StandardOpenOption.CREATE_NEW)) {
      for (long i = 0; i < mebibytes; i++) {
        random.nextBytes(piece);
        out.write(piece);
      }
    }
  }
}
