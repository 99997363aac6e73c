package io.vdisk.host.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.testkit.HostFileContract;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that pass the page cache by. */
@Tag("java22")
class DirectTest {
  @TempDir Path folder;

  @Nested
  class Contract extends HostFileContract {
    @Override
    protected HostFile create() throws IOException {
      return LocalFile.openDirect(Files.createFile(folder.resolve("file")), true, true);
    }

    @Override
    protected Optional<HostFile> reopenReadOnly() throws IOException {
      return Optional.of(LocalFile.openDirect(folder.resolve("file"), false, false));
    }
  }

  @Test
  void nothingOfItIsInThePageCache() throws IOException {
    int length = 4 << 20;
    Path path = Files.createFile(folder.resolve("file"));
    byte[] bytes = new byte[length];
    new Random(1).nextBytes(bytes);
    try (HostFile file = LocalFile.openDirect(path, true, true);
        FileChannel channel = FileChannel.open(path)) {
      file.write(ByteBuffer.wrap(bytes), 0);
      ByteBuffer seen = ByteBuffer.allocate(length);
      file.readFully(seen, 0);
      assertArrayEquals(bytes, seen.array());
      MappedByteBuffer cached = channel.map(FileChannel.MapMode.READ_ONLY, 0, length);
      assertFalse(cached.isLoaded());
      assertArrayEquals(bytes, Files.readAllBytes(path));
    }
  }

  @Test
  void whatIsReadThroughTheCacheIsWhatWasWrittenPastIt() throws IOException {
    Path path = Files.createFile(folder.resolve("file"));
    try (HostFile direct = LocalFile.openDirect(path, true, false);
        HostFile cached = LocalFile.open(path, true, false)) {
      for (int i = 1; i < 50; i++) {
        direct.write(ByteBuffer.wrap(new byte[] {(byte) i}), 1000 * i);
        ByteBuffer seen = ByteBuffer.allocate(1);
        cached.readFully(seen, 1000 * i);
        assertEquals(i, seen.get(0));
        cached.write(ByteBuffer.wrap(new byte[] {(byte) -i}), 1000 * i + 1);
        direct.readFully(seen.clear(), 1000 * i + 1);
        assertEquals(-i, seen.get(0));
      }
    }
  }

  @Test
  void aSymbolicLinkIsRefusedHereToo() throws IOException {
    Path link =
        Files.createSymbolicLink(folder.resolve("link"), Files.createFile(folder.resolve("file")));
    LocalFile.openDirect(link, true, true).close();
    assertThrows(
        IOException.class,
        () -> LocalFile.openDirect(link, true, true, LinkOption.NOFOLLOW_LINKS).close());
  }
}
