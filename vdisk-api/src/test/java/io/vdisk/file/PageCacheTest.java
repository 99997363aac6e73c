package io.vdisk.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PageCacheTest {
  private static final int MIB = 1 << 20;
  private static final String ALL = "NOT_AGAIN 0 " + Long.MAX_VALUE;

  @TempDir Path folder;
  private Path path;
  private final SlowNative host = new SlowNative();

  /** Of a host that opens nothing past its page cache. */
  private final FileRegistry registry =
      new FileRegistry(
          new OpenFile.Opener() {
            @Override
            public NativeFile open(Path file, boolean writable, LinkOption... links) {
              return host;
            }

            @Override
            public NativeFile openDirect(Path file, boolean writable, LinkOption... links)
                throws IOException {
              throw new IOException("Invalid argument");
            }
          });

  @BeforeEach
  void makeFile() throws IOException {
    path = Files.createFile(folder.resolve("file"));
  }

  private List<String> advice() {
    return host.asked.stream().filter(asked -> asked.startsWith("NOT_AGAIN")).toList();
  }

  private LocalFile open(PageCache cache) throws IOException {
    return registry.open(path, true, false, cache);
  }

  private static void write(HostFile file, long offset) throws IOException {
    file.write(ByteBuffer.allocate(1), offset);
  }

  @Test
  void whatLiesBehindIsDroppedOnceInEachWindow() throws IOException {
    try (HostFile file = open(PageCache.DROPPED)) {
      write(file, 7 * MIB);
      assertEquals(List.of(), advice());
      write(file, 8 * MIB);
      write(file, 9 * MIB);
      assertEquals(List.of("NOT_AGAIN 0 " + 8 * MIB), advice());
      file.read(ByteBuffer.allocate(1), 50 * MIB);
      assertEquals("NOT_AGAIN " + 16 * MIB + " " + 32 * MIB, advice().get(1));
    }
  }

  @Test
  void allIsDroppedWhenItIsDurableAndWhenTheLastUserLeaves() throws IOException {
    try (HostFile file = open(PageCache.DROPPED)) {
      write(file, 0);
      file.flush();
      assertEquals(List.of("flush", ALL), host.asked);
      host.asked.clear();
    }
    assertEquals(List.of(ALL, "close"), host.asked);
  }

  @Test
  void whatIsFlushedLaterBeginsItsWayInPortions() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(MIB);
    try (HostFile file = open(PageCache.WRITTEN_BACK)) {
      for (int i = 0; i < 63; i++) {
        file.write(bytes.clear(), (63 - i) * MIB);
      }
      assertEquals(List.of(), host.asked);
      file.write(bytes.clear(), 0);
      assertEquals(List.of("FLUSHED_SOON 0 " + Long.MAX_VALUE), host.asked);
      file.read(bytes.clear(), 0);
      write(file, 100);
      file.flush();
      assertEquals(List.of("FLUSHED_SOON 0 " + Long.MAX_VALUE, "flush"), host.asked);
    }
  }

  @Test
  void whoUsesItIsLeftAlone() throws IOException {
    try (HostFile file = open(PageCache.USED)) {
      write(file, 9 * MIB);
      file.flush();
    }
    assertEquals(List.of("flush", "close"), host.asked);
  }

  @Test
  void whereItCannotBeBypassedItIsUsedAndWhatWasMovedDropped() throws IOException {
    try (HostFile file = open(PageCache.BYPASSED)) {
      assertEquals(PageCache.DROPPED, file.pageCache());
      write(file, 5);
      assertEquals(6, file.size());
    }
    assertEquals(List.of(ALL, "close"), host.asked);
  }

  @Test
  void whatIsNotThereIsMissingHoweverItIsOpened() {
    Path missing = folder.resolve("missing");
    assertThrows(
        NoSuchFileException.class,
        () -> registry.open(missing, true, true, PageCache.BYPASSED).close());
    assertEquals(0, registry.count());
  }

  @Test
  void oneLockIsForAllWaysToOpenAFile() throws IOException {
    try (HostFile file = registry.open(path, true, true, PageCache.DROPPED)) {
      assertThrows(FileLockedException.class, () -> registry.open(path, false, true).close());
      assertThrows(
          FileLockedException.class,
          () -> registry.open(path, false, true, PageCache.BYPASSED).close());
      write(file, 1);
    }
    assertEquals(0, registry.count());
  }
}
