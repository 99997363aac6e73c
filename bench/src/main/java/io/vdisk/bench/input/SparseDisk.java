package io.vdisk.bench.input;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/**
 * A raw disk that is nearly empty: 32 MiB of data in 512 pieces anywhere, every other of them
 * random, every other a text.
 *
 * @param mebibytes size of the disk
 */
public record SparseDisk(long mebibytes) implements Input {
  private static final int PIECES = 512;
  private static final int PIECE = 1 << 16;
  private static final byte[] TEXT =
      "The quick brown fox jumps over the lazy dog. ".getBytes(StandardCharsets.US_ASCII);

  @Override
  public String fileName() {
    return "sparse-" + mebibytes + ".raw";
  }

  @Override
  public String format() {
    return "raw";
  }

  @Override
  public void make(Path target, Path folder) throws IOException {
    long size = mebibytes << 20;
    int places = Math.toIntExact(size / PIECE);
    Random random = new Random(2);
    ByteBuffer text = ByteBuffer.allocate(PIECE);
    while (text.hasRemaining()) {
      text.put(TEXT[text.position() % TEXT.length]);
    }
    try (FileChannel file =
        FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.allocate(1), size - 1);
      byte[] noise = new byte[PIECE];
      for (int i = 0; i < PIECES; i++) {
        random.nextBytes(noise);
        ByteBuffer piece = i % 2 == 0 ? ByteBuffer.wrap(noise) : text.rewind();
        long offset = (long) random.nextInt(places) * PIECE;
        while (piece.hasRemaining()) {
          file.write(piece, offset + piece.position());
        }
      }
    }
  }
}
