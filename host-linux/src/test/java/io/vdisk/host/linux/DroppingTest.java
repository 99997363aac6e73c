package io.vdisk.host.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.PageCache;
import io.vdisk.testkit.HostFileContract;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that leave nothing in the page cache. */
@Tag("java22")
class DroppingTest {
  private static final int LENGTH = 24 << 20;

  @TempDir Path folder;

  @Nested
  class Contract extends HostFileContract {
    @Override
    protected HostFile create() throws IOException {
      return LocalFile.create(folder.resolve("file"), PageCache.DROPPED);
    }

    @Override
    protected Optional<HostFile> reopenReadOnly() throws IOException {
      return Optional.of(LocalFile.open(folder.resolve("file"), false, false, PageCache.DROPPED));
    }
  }

  @Test
  void nothingStaysThereOfWhatWasWrittenOrRead() throws IOException {
    Path path = folder.resolve("file");
    byte[] bytes = new byte[LENGTH];
    new Random(1).nextBytes(bytes);
    try (HostFile file = LocalFile.create(path, PageCache.DROPPED)) {
      file.write(ByteBuffer.wrap(bytes), 0);
      file.flush();
    }
    assertEquals(0, loaded(path));
    try (HostFile file = LocalFile.open(path, false, true, PageCache.DROPPED)) {
      ByteBuffer seen = ByteBuffer.allocate(LENGTH);
      file.readFully(seen, 0);
      assertArrayEquals(bytes, seen.array());
      assertTrue(loaded(path) < LENGTH);
    }
    assertEquals(0, loaded(path));
  }

  /** Bytes of a file that are in the page cache, in steps of a MiB that are whole. */
  private static int loaded(Path path) throws IOException {
    int step = 1 << 20;
    int loaded = 0;
    try (FileChannel channel = FileChannel.open(path)) {
      for (int offset = 0; offset < LENGTH; offset += step) {
        MappedByteBuffer part = channel.map(FileChannel.MapMode.READ_ONLY, offset, step);
        loaded += part.isLoaded() ? step : 0;
      }
    }
    return loaded;
  }
}
