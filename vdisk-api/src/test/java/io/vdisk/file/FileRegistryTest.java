package io.vdisk.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileRegistryTest {
  @TempDir Path folder;
  private Path path;
  private final SlowNative host = new SlowNative();
  private final List<Boolean> openedWritable = new ArrayList<>();
  private final FileRegistry registry =
      new FileRegistry(
          (file, writable, links) -> {
            openedWritable.add(writable);
            return host;
          });

  @BeforeEach
  void makeFile() throws IOException {
    path = Files.createFile(folder.resolve("file"));
  }

  private static ByteBuffer bytes(int... values) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(values.length);
    for (int value : values) {
      buffer.put((byte) value);
    }
    return buffer.flip();
  }

  @Test
  void theHostIsFlushedOnlyIfSomethingWasWritten() throws IOException {
    try (LocalFile file = registry.open(path, true, false)) {
      file.flush();
      assertEquals(List.of(), host.asked);
      file.write(bytes(1), 0);
      file.flush();
      file.flush();
      assertEquals(List.of("flush"), host.asked);
      file.resize(5);
      file.flush();
      file.zero(0, 1, false);
      file.flush();
      assertEquals(List.of("flush", "flush", "zero 0 1 false", "flush"), host.asked);
    }
  }

  @Test
  void zeroingThatTheHostCannotDoIsNoChangeToFlush() throws IOException {
    host.cannotZero = true;
    try (HostFile file = registry.open(path, true, false)) {
      assertFalse(file.zero(0, 1, false));
      file.flush();
      assertEquals(List.of("zero 0 1 false"), host.asked);
    }
  }

  @Test
  void whatOneUserWroteAnotherFlushes() throws IOException {
    try (LocalFile writer = registry.open(path, true, false);
        LocalFile reader = registry.open(path, false, false)) {
      writer.write(bytes(1), 0);
      reader.flush();
      writer.flush();
      assertEquals(List.of("flush"), host.asked);
    }
  }

  @Test
  void afterAFlushThatFailedEveryOneFailsForAllUsers() throws IOException {
    try (LocalFile one = registry.open(path, true, false);
        LocalFile two = registry.open(path, true, false)) {
      host.flushFailure = new IOException("Input/output error");
      one.write(bytes(1), 0);
      HostFlushException first = assertThrows(HostFlushException.class, one::flush);
      assertSame(host.flushFailure, first.getCause());
      assertTrue(first.getMessage().contains(path.toString()));

      host.flushFailure = null;
      assertThrows(HostFlushException.class, one::flush);
      assertThrows(HostFlushException.class, two::flush);
      assertEquals(List.of("flush"), host.asked);
    }
  }

  @Test
  void aFlushThatFoundTheFileClosedIsNoFailureOfTheDisk() throws IOException {
    try (LocalFile file = registry.open(path, true, false)) {
      host.flushFailure = new ClosedChannelException();
      file.write(bytes(1), 0);
      assertThrows(ClosedChannelException.class, file::flush);
      host.flushFailure = null;
      file.flush();
      assertEquals(List.of("flush", "flush"), host.asked);
    }
  }

  @Test
  void aSecondFlushWaitsForTheOneInProgress() throws Exception {
    try (LocalFile file = registry.open(path, true, false)) {
      file.write(bytes(1), 0);
      holdFlushes();
      Thread first = started(file);
      host.flushing.await();
      Thread second = started(file);
      untilParkedOrEnded(second);
      assertTrue(second.isAlive(), "said to be durable while the host is at it");
      assertEquals(List.of("flush"), host.asked);

      host.mayFlush.countDown();
      first.join();
      second.join();
      assertEquals(List.of("flush"), host.asked);
    }
  }

  @Test
  void whatIsWrittenWhileAFlushRunsIsLeftToTheNext() throws Exception {
    try (LocalFile file = registry.open(path, true, false)) {
      file.write(bytes(1), 0);
      holdFlushes();
      Thread first = started(file);
      host.flushing.await();
      file.write(bytes(2), 1);
      host.mayFlush.countDown();
      first.join();

      file.flush();
      assertEquals(List.of("flush", "flush"), host.asked);
    }
  }

  /** Said before the write, the flush would take the mark of what the host does not have yet. */
  @Test
  void aWriteThatIsUnderWayWhenAFlushRunsIsLeftToTheNext() throws Exception {
    try (LocalFile file = registry.open(path, true, false)) {
      file.write(bytes(1), 0);
      host.beforeWrite =
          () -> {
            host.beforeWrite = () -> {};
            try {
              file.flush();
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          };
      file.write(bytes(2), 1);

      file.flush();
      assertEquals(List.of("flush", "flush"), host.asked);
    }
  }

  private void holdFlushes() {
    host.mayFlush = new CountDownLatch(1);
    host.flushing = new CountDownLatch(1);
  }

  private static Thread started(LocalFile file) {
    Thread thread =
        new Thread(
            new FutureTask<>(
                () -> {
                  file.flush();
                  return true;
                }));
    thread.start();
    return thread;
  }

  private static void untilParkedOrEnded(Thread thread) {
    while (thread.getState() != Thread.State.WAITING
        && thread.getState() != Thread.State.TERMINATED) {
      Thread.onSpinWait();
    }
  }

  @Test
  void shortTransfersOfTheHostAreContinued() throws IOException {
    byte[] data = new byte[200_000];
    new Random(1).nextBytes(data);
    try (LocalFile file = registry.open(path, true, false)) {
      for (boolean direct : new boolean[] {false, true}) {
        ByteBuffer source = buffer(data.length, direct).put(data).flip();
        file.write(source, 7);
        assertFalse(source.hasRemaining());
        ByteBuffer target = buffer(data.length + 100, direct);
        assertEquals(data.length, file.read(target, 7));
        byte[] seen = new byte[data.length];
        target.flip().get(seen);
        assertArrayEquals(data, seen);
        file.resize(0);
      }
    }
  }

  private static ByteBuffer buffer(int size, boolean direct) {
    return direct ? ByteBuffer.allocateDirect(size) : ByteBuffer.allocate(size);
  }

  @Test
  void whatTheHostKnowsOfHolesIsPassedOn() throws IOException {
    try (LocalFile file = registry.open(path, true, false)) {
      file.resize(1 << 20);
      file.write(bytes(1), 0);
      assertEquals(65_536, file.dataEnd(0, 1 << 20));
      assertTrue(file.zero(0, 65_536, true));
      assertEquals(-(1 << 20), file.dataEnd(0, 1 << 20));
      assertTrue(host.asked.contains("zero 0 65536 true"));
    }
  }

  @Test
  void aSystemThatIsInstalledIsToldWhetherLinksAreFollowed() throws IOException {
    List<LinkOption> told = new ArrayList<>();
    HostSystem system =
        new HostSystem() {
          @Override
          public NativeDevice openDevice(Path path) {
            throw new AssertionError("not asked for");
          }

          @Override
          public boolean isAvailable() {
            return true;
          }

          @Override
          public NativeFile open(Path file, boolean writable, LinkOption... links) {
            told.addAll(List.of(links));
            return host;
          }

          @Override
          public NativeFile openDirect(Path file, boolean writable, LinkOption... links) {
            return open(file, writable, links);
          }
        };
    FileRegistry installed = new FileRegistry(FileRegistry.opener(Optional.of(system)));
    installed.open(path, false, false).close();
    assertEquals(List.of(), told);
    installed.open(path, false, false, LinkOption.NOFOLLOW_LINKS).close();
    assertEquals(List.of(LinkOption.NOFOLLOW_LINKS), told);
    OpenFile.Use direct = new OpenFile.Use(false, false, PageCache.BYPASSED);
    installed.open(path, direct, LinkOption.NOFOLLOW_LINKS).close();
    assertEquals(2, told.size());
  }

  @Test
  void aReaderSharesThreeBytesAndTriesTheWriters() throws IOException {
    registry.open(path, false, true).close();

    assertEquals(List.of(true), openedWritable);
    assertEquals(
        List.of("share 100 1", "share 201 1", "share 203 1", "lock 101 1", "unlock 101 1", "close"),
        host.asked);
  }

  @Test
  void aReaderOfAFileThatItMayNotWriteTriesNothing() throws IOException {
    FileRegistry readOnly =
        new FileRegistry(
            (file, writable, links) -> {
              if (writable) {
                throw new AccessDeniedException(file.toString());
              }
              return host;
            });
    readOnly.open(path, false, true).close();

    assertEquals(List.of("share 100 1", "share 201 1", "share 203 1", "close"), host.asked);
    assertThrows(AccessDeniedException.class, () -> readOnly.open(path, true, true).close());
    assertEquals(0, readOnly.count());
  }

  @Test
  void aWriterLocksAllBytesAndGivesThemBackBeforeAnUnlockedUserLeaves() throws IOException {
    LocalFile writer = registry.open(path, true, true);
    LocalFile other = registry.open(path, false, false);
    writer.close();
    writer.close();
    assertEquals(List.of("lock 100 200", "unlock 100 200"), host.asked);
    assertEquals(1, registry.count());
    other.close();

    assertEquals(List.of("lock 100 200", "unlock 100 200", "close"), host.asked);
    assertEquals(List.of(true), openedWritable);
    assertEquals(0, registry.count());
  }

  /** Though the host would allow it: its locks are the process's. */
  @Test
  void aSecondWriterAndAReaderBesideAWriterAreRefused() throws IOException {
    try (LocalFile writer = registry.open(path, true, true)) {
      assertTrue(writer.isLocked());
      assertThrows(FileLockedException.class, () -> registry.open(path, true, true));
      assertThrows(FileLockedException.class, () -> registry.open(path, false, true));
      assertEquals(List.of("lock 100 200"), host.asked);
    }
    registry.open(path, true, true).close();
  }

  @Test
  void aWriterBesideAReaderIsRefused() throws IOException {
    try (LocalFile reader = registry.open(path, false, true)) {
      assertTrue(reader.isLocked());
      assertThrows(FileLockedException.class, () -> registry.open(path, true, true));
    }
    registry.open(path, true, true).close();
  }

  @Test
  void theLockStaysUntilTheLastReaderHasLeft() throws IOException {
    LocalFile one = registry.open(path, false, true);
    LocalFile two = registry.open(path, false, true);
    LocalFile unlocked = registry.open(path, false, false);
    host.asked.clear();
    one.close();
    assertEquals(List.of(), host.asked);
    two.close();
    assertEquals(List.of("unlock 100 1", "unlock 201 1", "unlock 203 1"), host.asked);
    unlocked.close();
  }

  @Test
  void whoIsRefusedLeavesNothing() throws IOException {
    host.someoneElseLocks = true;
    assertThrows(FileLockedException.class, () -> registry.open(path, false, true));
    assertThrows(FileLockedException.class, () -> registry.open(path, true, true));
    assertEquals(0, registry.count());
    host.someoneElseLocks = false;
    registry.open(path, true, true).close();
  }

  @Test
  void whereNothingCanBeLockedTheOptionIsNamed() {
    host.lockFailure = new IOException("No locks available");
    IOException refused = assertThrows(IOException.class, () -> registry.open(path, true, true));
    assertTrue(refused.getMessage().contains("OpenOptions.withoutLock()"), refused.getMessage());
    assertSame(host.lockFailure, refused.getCause());
    assertEquals(0, registry.count());
  }

  @Test
  void aFileThatIsReplacedMeanwhileIsOpenedAsTheNewOne() throws IOException {
    Path other = Files.writeString(folder.resolve("other"), "new");
    List<String> opened = new ArrayList<>();
    FileRegistry real =
        new FileRegistry(
            (file, writable, links) -> {
              if (opened.isEmpty()) {
                Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
              }
              opened.add(file.toString());
              return AsyncFile.open(file, writable, links);
            });
    try (LocalFile file = real.open(path, false, true)) {
      assertEquals(3, file.size());
      assertEquals(FileRegistry.key(path), file.key());
      assertEquals(2, opened.size());
      assertEquals(1, real.count());
    }
    assertEquals(0, real.count());
  }

  @Test
  void whatIsNotThereOrNoFileIsNotOpened() {
    assertThrows(
        NoSuchFileException.class, () -> registry.open(folder.resolve("none"), false, true));
    assertThrows(IOException.class, () -> registry.open(folder, false, true));
    assertEquals(0, registry.count());
    assertEquals(List.of(), openedWritable);
  }

  @Test
  void theFileOfWindowsReadsWritesAndResizes() throws IOException {
    FileRegistry windows = new FileRegistry(BlockingFile::open);
    try (LocalFile file = windows.open(path, true, true)) {
      file.write(bytes(1, 2, 3), 5);
      assertEquals(8, file.size());
      file.resize(7);
      file.resize(100_000);
      file.flush();
      ByteBuffer seen = ByteBuffer.allocate(5);
      assertEquals(5, file.read(seen, 4));
      assertArrayEquals(new byte[] {0, 1, 2, 0, 0}, seen.array());
      assertEquals(0, file.read(ByteBuffer.allocate(5), 100_000));
      assertFalse(file.zero(0, 5, false));
      assertEquals(50, file.dataEnd(0, 50));
    }
  }

  @Test
  void manyThreadsOpenAndCloseOneFile() throws Exception {
    FileRegistry real = new FileRegistry(AsyncFile::open);
    List<FutureTask<Boolean>> tasks = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      FutureTask<Boolean> task =
          new FutureTask<>(
              () -> {
                for (int n = 0; n < 300; n++) {
                  try (LocalFile file = real.open(path, false, true)) {
                    assertEquals(0, file.read(ByteBuffer.allocateDirect(1), 0));
                  }
                }
                return true;
              });
      tasks.add(task);
      new Thread(task).start();
    }
    for (FutureTask<Boolean> task : tasks) {
      assertTrue(task.get(60, TimeUnit.SECONDS));
    }
    assertEquals(0, real.count());
  }
}
