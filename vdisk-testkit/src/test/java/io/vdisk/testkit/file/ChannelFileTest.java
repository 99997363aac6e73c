package io.vdisk.testkit.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChannelFileTest {
  @TempDir Path folder;
  private final FileSystem memory = Jimfs.newFileSystem(Configuration.unix());

  @AfterEach
  void close() throws IOException {
    memory.close();
  }

  private static byte[] read(HostFile file, long offset, int length) throws IOException {
    ByteBuffer target = ByteBuffer.allocate(length);
    int count = file.read(target, offset);
    assertEquals(count, target.position());
    assertEquals(length, target.limit());
    return Arrays.copyOf(target.array(), count);
  }

  private static ByteBuffer bytes(int... values) {
    ByteBuffer buffer = ByteBuffer.allocate(values.length);
    for (int value : values) {
      buffer.put((byte) value);
    }
    return buffer.flip();
  }

  /** Every kind of channel, empty. */
  private List<HostFile> files() throws IOException {
    return List.of(
        LocalFile.create(memory.getPath("/file")),
        HostFile.of(
            FileChannel.open(
                folder.resolve("file"),
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)),
        HostFile.of(new DirtyChannel()));
  }

  @Test
  void whatWasWrittenIsReadAndTheEndEndsARead() throws IOException {
    byte[] data = new byte[300_000];
    new Random(1).nextBytes(data);
    for (HostFile file : files()) {
      try (file) {
        file.write(ByteBuffer.wrap(data), 5);
        assertEquals(data.length + 5, file.size());
        assertArrayEquals(data, read(file, 5, data.length + 10));
        assertEquals(0, read(file, data.length + 5, 10).length);
        assertEquals(0, read(file, Long.MAX_VALUE, 10).length);
        file.flush();
      }
    }
  }

  @Test
  void gapsAndGrowthAreZeroWhateverTheChannelPutsThere() throws IOException {
    for (HostFile file : files()) {
      try (file) {
        file.write(bytes(1, 1, 1, 1), 0);
        file.resize(2);
        file.write(bytes(1), 6);
        file.resize(9);
        assertArrayEquals(new byte[] {1, 1, 0, 0, 0, 0, 1, 0, 0}, read(file, 0, 20));
        file.write(bytes(), 20);
        assertEquals(9, file.size());
        file.resize(0);
        assertEquals(0, file.size());
        file.write(bytes(1), 200_000);
        byte[] gap = read(file, 0, 200_000);
        assertArrayEquals(new byte[200_000], gap);
      }
    }
  }

  @Test
  void theCallersChannelStaysOpenAndItsUseEnds() throws IOException {
    SeekableByteChannel channel = new DirtyChannel();
    HostFile file = HostFile.of(channel);
    file.close();
    file.close();
    assertTrue(channel.isOpen());
    assertThrows(ClosedChannelException.class, () -> file.read(bytes(1), 0));
    assertThrows(ClosedChannelException.class, () -> file.write(bytes(1), 0));
    assertThrows(ClosedChannelException.class, file::size);
    assertThrows(ClosedChannelException.class, () -> file.resize(1));
    assertThrows(ClosedChannelException.class, file::flush);
    assertThrows(ClosedChannelException.class, () -> file.zero(0, 1, true));
    assertThrows(ClosedChannelException.class, () -> file.dataEnd(0, 1));
  }

  @Test
  void aChannelForReadingIsFoundOutWithoutHarm() throws IOException {
    Path path = Files.write(folder.resolve("file"), new byte[] {1, 2, 3});
    try (FileChannel channel = FileChannel.open(path);
        HostFile file = HostFile.of(channel)) {
      assertFalse(file.canWrite());
      assertThrows(NonWritableChannelException.class, () -> file.write(bytes(1), 0));
      assertThrows(NonWritableChannelException.class, () -> file.resize(0));
      assertThrows(NonWritableChannelException.class, () -> file.zero(0, 1, false));
      assertArrayEquals(new byte[] {2, 3}, read(file, 1, 5));
    }
    for (HostFile file : files()) {
      assertTrue(file.canWrite());
      assertEquals(0, file.size());
      file.close();
    }
  }

  @Test
  void aFileOfAnotherFileSystemKnowsItsPathAndKey() throws IOException {
    Path path = memory.getPath("/disk");
    Files.write(path, new byte[] {1, 2, 3});
    Files.createLink(memory.getPath("/link"), path);
    Files.write(memory.getPath("/other"), new byte[1]);
    try (HostFile file = HostFile.of(path);
        HostFile link = HostFile.of(memory.getPath("/link"));
        HostFile other = HostFile.of(memory.getPath("/other"))) {
      assertEquals(Optional.of(path), file.path());
      assertEquals("/disk", file.name());
      assertEquals(file.key(), link.key());
      assertNotEquals(file.key(), other.key());
      assertFalse(file.canWrite());
    }
    try (FileSystem second = Jimfs.newFileSystem(Configuration.unix())) {
      Files.write(second.getPath("/disk"), new byte[1]);
      try (HostFile file = HostFile.of(path);
          HostFile foreign = HostFile.of(second.getPath("/disk"))) {
        assertNotEquals(file.key(), foreign.key());
      }
    }
  }

  @Test
  void aFileInAZipIsRead() throws IOException {
    byte[] data = new byte[200_000];
    new Random(2).nextBytes(data);
    Path archive = folder.resolve("disks.zip");
    try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
      Files.write(zip.getPath("/disk.raw"), data);
    }
    try (FileSystem zip = FileSystems.newFileSystem(archive)) {
      Path path = zip.getPath("disk.raw");
      try (HostFile file = HostFile.of(path);
          HostFile again = HostFile.of(zip.getPath("/disk.raw"))) {
        assertEquals(data.length, file.size());
        assertArrayEquals(Arrays.copyOfRange(data, 65_000, 165_000), read(file, 65_000, 100_000));
        assertArrayEquals(Arrays.copyOfRange(data, 0, 10), read(file, 0, 10));
        assertEquals(0, read(file, 300_000, 10).length);
        assertEquals(Optional.of(path), file.path());
        assertEquals(file.key(), again.key());
        assertThrows(NonWritableChannelException.class, () -> file.write(bytes(1), 0));
      }
      assertThrows(IOException.class, () -> LocalFile.open(path, true).close());
    }
    try (FileSystem zip = FileSystems.newFileSystem(archive)) {
      assertArrayEquals(data, Files.readAllBytes(zip.getPath("disk.raw")));
    }
  }

  @Test
  void anInterruptThatCameBeforeIsPutOff() throws IOException {
    for (HostFile file : files()) {
      Thread.currentThread().interrupt();
      file.write(bytes(1, 2), 0);
      assertArrayEquals(new byte[] {1, 2}, read(file, 0, 2));
      file.flush();
      assertTrue(file.canWrite());
      assertTrue(Thread.interrupted());
      assertEquals(2, file.size());
      file.close();
    }
  }

  @Test
  void threadsDoNotMoveEachOthersPosition() throws Exception {
    for (HostFile file : files()) {
      AtomicReference<Throwable> failure = new AtomicReference<>();
      List<Thread> threads = new ArrayList<>();
      for (int i = 1; i <= 4; i++) {
        int own = i;
        threads.add(new Thread(() -> writeAndRead(file, own, failure)));
      }
      threads.forEach(Thread::start);
      for (Thread thread : threads) {
        thread.join();
      }
      assertNull(failure.get(), () -> failure.get().toString());
      file.close();
    }
  }

  private static void writeAndRead(HostFile file, int own, AtomicReference<Throwable> failure) {
    byte[] data = new byte[700];
    Arrays.fill(data, (byte) own);
    try {
      for (int i = 0; i < 500; i++) {
        long offset = (i % 10 * 4L + own) * data.length;
        file.write(ByteBuffer.wrap(data), offset);
        assertArrayEquals(data, read(file, offset, data.length));
      }
    } catch (Throwable e) {
      failure.compareAndSet(null, e);
    }
  }
}
