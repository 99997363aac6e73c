package io.vdisk.testkit.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.Advice;
import io.vdisk.file.FileLockedException;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocalFileTest {
  private static final int BLOCK = 4096;

  @TempDir Path folder;

  private HostFile created() throws IOException {
    return LocalFile.create(folder.resolve("file"));
  }

  private static ByteBuffer buffer(byte[] bytes, boolean direct) {
    return (direct ? ByteBuffer.allocateDirect(bytes.length) : ByteBuffer.allocate(bytes.length))
        .put(bytes)
        .flip();
  }

  private static byte[] read(HostFile file, long offset, int length, boolean direct)
      throws IOException {
    ByteBuffer target = buffer(new byte[length], direct);
    int count = file.read(target, offset);
    assertEquals(count, target.position());
    byte[] seen = new byte[count];
    target.flip().get(seen);
    return seen;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatWasWrittenIsReadWhateverTheBuffer(boolean direct) throws IOException {
    try (HostFile file = created()) {
      for (int length : new int[] {0, 1, BLOCK, 65_535, 65_536, 65_537, 1 << 20}) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        ByteBuffer source = buffer(bytes, direct);
        file.write(direct ? source.asReadOnlyBuffer() : source, 3);
        assertArrayEquals(bytes, read(file, 3, length, direct));
        assertArrayEquals(bytes, read(file, 3, length, !direct));
        assertEquals(length == 0 ? 0 : length + 3, file.size(), "nothing written, nothing grown");
        file.resize(0);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theEndOfTheFileEndsARead(boolean direct) throws IOException {
    try (HostFile file = created()) {
      file.write(buffer(new byte[100_000], direct), 0);
      assertEquals(1, read(file, 99_999, 65_536, direct).length);
      assertEquals(100_000, read(file, 0, 131_072, direct).length);
      assertEquals(0, read(file, 100_000, 1, direct).length);
      assertEquals(0, read(file, 1L << 60, 10, direct).length);
      assertEquals(0, read(file, Long.MAX_VALUE, 10, direct).length);
    }
  }

  @Test
  void aBufferIsUsedFromPositionToLimitAndNoFurther() throws IOException {
    try (HostFile file = created()) {
      ByteBuffer source = ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5}).position(1).limit(4);
      file.write(source, 0);
      assertEquals(4, source.position());
      assertEquals(4, source.limit());

      ByteBuffer target = ByteBuffer.allocate(10).position(2).limit(4);
      assertEquals(2, file.read(target, 0));
      assertEquals(4, target.position());
      assertArrayEquals(new byte[] {0, 0, 2, 3, 0, 0, 0, 0, 0, 0}, target.array());
    }
  }

  @Test
  void gapsAndGrowthAreZero() throws IOException {
    try (HostFile file = created()) {
      file.write(ByteBuffer.wrap(new byte[] {1, 1, 1, 1}), 0);
      file.resize(2);
      file.write(ByteBuffer.wrap(new byte[] {1}), 6);
      file.resize(9);
      assertArrayEquals(new byte[] {1, 1, 0, 0, 0, 0, 1, 0, 0}, read(file, 0, 20, true));
    }
  }

  @Test
  void aFileForReadingIsNotChanged() throws IOException {
    Path path = Files.write(folder.resolve("file"), new byte[10]);
    try (HostFile file = HostFile.of(path)) {
      assertFalse(file.canWrite());
      ByteBuffer one = ByteBuffer.allocate(1);
      assertThrows(NonWritableChannelException.class, () -> file.write(one, 0));
      assertThrows(NonWritableChannelException.class, () -> file.resize(0));
      assertThrows(NonWritableChannelException.class, () -> file.zero(0, 1, false));
      assertThrows(NonWritableChannelException.class, () -> file.allocate(0, 1));
      assertThrows(NonWritableChannelException.class, () -> file.share(file, 0, 5, 1));
      file.flush();
      assertEquals(10, file.size());
    }
  }

  @Test
  void nothingWorksAfterClosing() throws IOException {
    HostFile file = created();
    HostFile other = LocalFile.open(folder.resolve("file"), false, false);
    file.close();
    file.close();
    ByteBuffer one = ByteBuffer.allocate(1);
    assertThrows(ClosedChannelException.class, () -> file.read(one, 0));
    assertThrows(ClosedChannelException.class, () -> file.write(one, 0));
    assertThrows(ClosedChannelException.class, file::size);
    assertThrows(ClosedChannelException.class, () -> file.resize(1));
    assertThrows(ClosedChannelException.class, file::flush);
    assertThrows(ClosedChannelException.class, () -> file.zero(0, 1, true));
    assertThrows(ClosedChannelException.class, () -> file.allocate(0, 1));
    assertThrows(ClosedChannelException.class, file::allocatedSize);
    assertThrows(ClosedChannelException.class, () -> file.advise(Advice.SEQUENTIAL, 0, 1));
    assertThrows(ClosedChannelException.class, () -> file.share(other, 0, 0, 1));
    assertThrows(ClosedChannelException.class, () -> file.dataEnd(0, 1));
    assertEquals(0, other.size());
    other.close();
  }

  @Test
  void itKnowsItsNamePathAndKey() throws IOException {
    Path path = folder.resolve("file");
    try (HostFile file = created();
        HostFile other =
            LocalFile.open(
                folder.resolve("../" + path.subpath(path.getNameCount() - 2, path.getNameCount())),
                false,
                false)) {
      assertEquals(path.toString(), file.name());
      assertEquals(Optional.of(path), file.path());
      assertEquals(file.key(), other.key());
      try (HostFile third = LocalFile.create(folder.resolve("third"))) {
        assertFalse(file.key().equals(third.key()));
      }
    }
  }

  @Test
  void whatExistsIsNotCreated() throws IOException {
    Path path = Files.write(folder.resolve("file"), new byte[10]);
    assertThrows(FileAlreadyExistsException.class, () -> LocalFile.create(path));
    assertEquals(10, Files.size(path));
  }

  @Test
  void aPipeIsRefusedInsteadOfWaitedFor() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    assertThrows(IOException.class, () -> HostFile.of(pipe));
  }

  @Test
  void aBlockDeviceHasASizeThatStaysALockAndOneKey() throws Exception {
    Path losetup = Requirements.need("losetup");
    Path backing = folder.resolve("backing");
    Files.write(backing, new byte[3 << 20]);
    Optional<Path> device = attach(losetup, backing);
    Requirements.need(device.isPresent(), "needs a loop device: to be root, outside a container");
    try (HostFile file = LocalFile.open(device.get(), true)) {
      assertEquals(3 << 20, file.size());
      assertEquals(3 << 20, file.capacity());
      file.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), (3 << 20) - 3);
      assertArrayEquals(new byte[] {2, 3}, read(file, (3 << 20) - 2, 10, true));
      assertEquals(0, read(file, 3 << 20, 10, true).length);
      assertThrows(IOException.class, () -> file.write(ByteBuffer.allocate(1), 3 << 20));
      file.resize(3 << 20);
      assertThrows(IOException.class, () -> file.resize(4 << 20));
      assertThrows(IOException.class, () -> file.resize(1 << 20));
      file.flush();
      assertThrows(FileLockedException.class, () -> HostFile.of(device.get()).close());
      try (QemuIo qemu = QemuIo.open(device.get(), "-r")) {
        assertFalse(qemu.hasOpened());
      }
    } finally {
      assertEquals(
          0,
          new ProcessBuilder(losetup.toString(), "-d", device.get().toString()).start().waitFor());
    }
  }

  private static Optional<Path> attach(Path losetup, Path backing) throws Exception {
    Process process =
        new ProcessBuilder(losetup.toString(), "-f", "--show", backing.toString()).start();
    String device =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    return process.waitFor() == 0 ? Optional.of(Path.of(device)) : Optional.empty();
  }

  /** Each thread owns some blocks, and is interrupted again and again by another one. */
  @Test
  void interruptsFailNothingAndDropNoLock() throws Exception {
    Path path = folder.resolve("file");
    AtomicReference<Throwable> failure = new AtomicReference<>();
    List<Thread> writers = new ArrayList<>();
    try (HostFile file = LocalFile.create(path)) {
      for (int i = 0; i < 8; i++) {
        int own = i;
        Thread writer =
            new Thread(
                () -> {
                  try {
                    writeAndRead(file, own);
                  } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                  }
                });
        writers.add(writer);
      }
      writers.forEach(Thread::start);
      while (writers.stream().anyMatch(Thread::isAlive)) {
        writers.get(ThreadLocalRandom.current().nextInt(writers.size())).interrupt();
      }
      assertNull(failure.get(), () -> failure.get().toString());
      for (Thread writer : writers) {
        writer.join();
      }
      try (QemuIo qemu = QemuIo.open(path, "-r")) {
        assertFalse(qemu.hasOpened(), "the lock is gone");
      }
      assertEquals(8L * 16 * BLOCK, file.size());
    }
  }

  private static void writeAndRead(HostFile file, int own) throws IOException {
    Random random = new Random(own);
    byte[] bytes = new byte[BLOCK];
    for (int i = 0; i < 4000; i++) {
      int block = i < 16 ? i : random.nextInt(16);
      long offset = (block * 8L + own) * BLOCK;
      random.nextBytes(bytes);
      file.write(buffer(bytes, i % 2 == 0), offset);
      assertArrayEquals(bytes, read(file, offset, BLOCK, i % 3 == 0));
      if (i % 1000 == 0) {
        file.flush();
      }
    }
  }

  @Test
  void anInterruptIsKeptForTheCaller() throws IOException {
    try (HostFile file = created()) {
      Thread.currentThread().interrupt();
      file.write(ByteBuffer.wrap(new byte[] {1}), 0);
      assertTrue(Thread.currentThread().isInterrupted());
      assertEquals(1, read(file, 0, 5, true).length);
      file.flush();
      file.resize(2);
      assertEquals(2, file.size());
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void nothingIsLeftOpen() throws IOException {
    Path descriptors = Path.of("/proc/self/fd");
    Requirements.need(Files.isDirectory(descriptors), "needs " + descriptors);
    Path path = Files.write(folder.resolve("file"), new byte[10]);
    long before = openIn(descriptors);

    HostFile first = LocalFile.open(path, false, false);
    HostFile second = LocalFile.open(path, false, true);
    HostFile third = LocalFile.open(path, true, false);
    assertThrows(FileLockedException.class, () -> LocalFile.open(path, true));
    assertEquals(before + 2, openIn(descriptors));
    second.close();
    third.close();
    first.close();

    assertEquals(before, openIn(descriptors));
  }

  /** How many descriptors of this process lie in the folder of this test. */
  private long openIn(Path descriptors) throws IOException {
    List<Path> all;
    try (Stream<Path> list = Files.list(descriptors)) {
      all = list.toList();
    }
    long count = 0;
    for (Path descriptor : all) {
      try {
        count += Files.readSymbolicLink(descriptor).startsWith(folder.toRealPath()) ? 1 : 0;
      } catch (IOException e) {
        continue; // the list's own, closed by now
      }
    }
    return count;
  }
}
