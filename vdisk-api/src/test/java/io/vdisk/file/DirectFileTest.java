package io.vdisk.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirectFileTest {
  private static final int SIZE = 300_000;

  /** A host that takes aligned requests only, and may have a fixed size. */
  private static final class Picky implements NativeFile {
    private final int block;
    private final long fixed;
    private final MemoryFile memory = new MemoryFile("picky");

    Picky(int block, long fixed) throws IOException {
      this.block = block;
      this.fixed = fixed;
      memory.resize(Math.max(0, fixed));
    }

    @Override
    public int alignment() {
      return block;
    }

    private void check(ByteBuffer buffer, long offset) throws IOException {
      if (!buffer.isDirect()
          || offset % block != 0
          || buffer.alignmentOffset(buffer.position(), block) != 0) {
        throw new IOException("Invalid argument");
      }
    }

    @Override
    public int read(ByteBuffer dst, long offset) throws IOException {
      check(dst, offset);
      if (dst.remaining() % block != 0) {
        throw new IOException("Invalid argument");
      }
      int count = memory.read(dst, offset);
      Thread.yield(); // so that others come between a read and its write
      return count;
    }

    @Override
    public int write(ByteBuffer src, long offset) throws IOException {
      check(src, offset);
      if (fixed >= 0 ? src.remaining() % 512 != 0 : src.remaining() % block != 0) {
        throw new IOException("Invalid argument");
      }
      if (fixed >= 0 && offset + src.remaining() > fixed) {
        throw new IOException("No space left on device");
      }
      int length = src.remaining();
      memory.write(src, offset);
      return length;
    }

    @Override
    public long size() throws IOException {
      return memory.size();
    }

    @Override
    public void resize(long size) throws IOException {
      memory.resize(size);
    }

    @Override
    public void flush() {}

    @Override
    public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
      return memory.zero(offset, length, keepSpace);
    }

    @Override
    public long dataEnd(long offset, long limit) throws IOException {
      return memory.dataEnd(offset, limit);
    }

    @Override
    public boolean lock(long offset, long length, boolean shared) {
      return true;
    }

    @Override
    public void unlock(long offset, long length) {}

    @Override
    public void close() {}
  }

  @TempDir Path folder;

  private static ByteBuffer buffer(int capacity, int shift) {
    return ByteBuffer.allocateDirect(capacity + shift).position(shift).slice();
  }

  private static void write(NativeFile file, byte[] bytes, long offset, int shift)
      throws IOException {
    ByteBuffer src = buffer(bytes.length, shift).put(bytes).flip();
    while (src.hasRemaining()) {
      assertTrue(file.write(src, offset + src.position()) > 0);
    }
  }

  private static byte[] read(NativeFile file, long offset, int length, int shift)
      throws IOException {
    ByteBuffer dst = buffer(length, shift);
    int more = 1;
    while (more > 0 && dst.hasRemaining()) {
      more = file.read(dst, offset + dst.position());
    }
    byte[] seen = new byte[dst.position()];
    dst.flip().get(seen);
    return seen;
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 4096})
  void anyRequestIsAnsweredAsIfNothingWereAligned(int block) throws IOException {
    Random random = new Random(block);
    NativeFile file = new DirectFile(new Picky(block, -1), false);
    byte[] model = new byte[0];
    for (int i = 0; i < 2000; i++) {
      int grain = random.nextBoolean() ? 1 : block;
      int offset = random.nextInt(SIZE) / grain * grain;
      int length = random.nextInt(random.nextInt(10) == 0 ? SIZE : 3 * block) / grain * grain;
      int shift = random.nextInt(3) * 64;
      if (random.nextBoolean()) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        write(file, bytes, offset, shift);
        if (length > 0) {
          model = Arrays.copyOf(model, Math.max(model.length, offset + length));
          System.arraycopy(bytes, 0, model, offset, length);
        }
      } else if (random.nextInt(5) == 0) {
        file.resize(offset);
        model = Arrays.copyOf(model, offset);
      }
      assertEquals(model.length, file.size());
      int from = Math.min(offset, model.length);
      assertArrayEquals(
          Arrays.copyOfRange(model, from, Math.min(model.length, from + length)),
          read(file, from, length, shift));
    }
  }

  @Test
  void aDeviceThatEndsWithinABlockIsWrittenToItsEnd() throws IOException {
    NativeFile file = new DirectFile(new Picky(4096, 3 * 512), true);
    write(file, new byte[] {1, 2, 3}, 3 * 512 - 3, 0);
    assertArrayEquals(new byte[] {0, 1, 2, 3}, read(file, 3 * 512 - 4, 10, 0));
    assertEquals(3 * 512, file.size());
    assertThrows(IOException.class, () -> write(file, new byte[2], 3 * 512 - 1, 0));
    assertThrows(IOException.class, () -> write(file, new byte[1], 3 * 512, 0));
    assertArrayEquals(new byte[] {1, 2, 3}, read(file, 3 * 512 - 3, 10, 0));
  }

  /** Each thread owns every fourth piece of 100 bytes; one writes whole blocks beside them. */
  @Test
  void writersOfOneBlockDoNotUndoEachOther() throws Exception {
    NativeFile file = new DirectFile(new Picky(4096, -1), false);
    int pieces = 400;
    ExecutorService pool = Executors.newFixedThreadPool(5);
    try {
      Future<?>[] writers = new Future<?>[5];
      for (int t = 0; t < 4; t++) {
        int own = t;
        writers[t] =
            pool.submit(
                () -> {
                  for (int i = own; i < pieces; i += 4) {
                    byte[] piece = new byte[100];
                    Arrays.fill(piece, (byte) (i + 1));
                    write(file, piece, 100 * i, 0);
                  }
                  return true;
                });
      }
      writers[4] =
          pool.submit(
              () -> {
                for (int i = 11; i < 60; i++) {
                  byte[] block = new byte[4096];
                  Arrays.fill(block, (byte) i);
                  ByteBuffer src = ByteBuffer.allocateDirect(8192).alignedSlice(4096);
                  src.limit(4096).put(block).flip();
                  assertEquals(4096, file.write(src, 4096L * i));
                }
                return true;
              });
      for (Future<?> writer : writers) {
        writer.get();
      }
    } finally {
      pool.shutdownNow();
    }
    for (int i = 0; i < pieces; i++) {
      byte[] piece = new byte[100];
      Arrays.fill(piece, (byte) (i + 1));
      assertArrayEquals(piece, read(file, 100 * i, 100, 0), "piece " + i);
    }
    for (int i = 11; i < 60; i++) {
      assertEquals(i, read(file, 4096L * i + 4000, 1, 0)[0]);
    }
    assertEquals(60 * 4096, file.size());
  }

  @Test
  void withoutASystemItIsRefusedWithTheReason() throws IOException {
    Path path = Files.createFile(folder.resolve("file"));
    FileRegistry registry = new FileRegistry(FileRegistry.opener(Optional.empty()));
    IOException e =
        assertThrows(
            IOException.class,
            () -> registry.open(path, new OpenFile.Use(true, true, PageCache.BYPASSED)).close());
    assertEquals(
        path
            + " cannot be opened past the page cache: that takes Linux, Java 22 or newer, and"
            + " io.vdisk:host-linux with native access enabled",
        e.getMessage());
    assertEquals(0, registry.count());
  }

  @Test
  void oneFileIsOpenedBothWaysAndLockedOnce() throws IOException {
    Path path = Files.write(folder.resolve("file"), new byte[10]);
    SlowNative cached = new SlowNative();
    Picky direct = new Picky(4096, -1);
    FileRegistry registry =
        new FileRegistry(
            new OpenFile.Opener() {
              @Override
              public NativeFile open(Path file, boolean writable, LinkOption... links) {
                return cached;
              }

              @Override
              public NativeFile openDirect(Path file, boolean writable, LinkOption... links) {
                return direct;
              }
            });
    try (LocalFile one = registry.open(path, false, true);
        LocalFile two = registry.open(path, new OpenFile.Use(false, true, PageCache.BYPASSED))) {
      two.read(ByteBuffer.allocate(3), 1);
      assertEquals(one.key(), two.key());
      assertThrows(
          FileLockedException.class,
          () -> registry.open(path, new OpenFile.Use(true, true, PageCache.BYPASSED)).close());
    }
    assertEquals(0, registry.count());
    try (LocalFile writer = registry.open(path, new OpenFile.Use(true, true, PageCache.BYPASSED))) {
      writer.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 5);
      writer.flush();
      assertEquals(8, writer.size());
      assertThrows(FileLockedException.class, () -> registry.open(path, false, true).close());
    }
  }
}
