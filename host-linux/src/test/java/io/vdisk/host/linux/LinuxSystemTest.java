package io.vdisk.host.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.Advice;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class LinuxSystemTest {
  @TempDir Path folder;

  @Test
  void itIsInstalledFromJava22On() {
    assertEquals(Runtime.version().feature() >= 22, HostSystem.installed().isPresent());
  }

  @Test
  @Tag("java22")
  void whatIsNotThereOrNotAllowedSaysSoAsJavasOwnDoes() throws IOException {
    Path missing = folder.resolve("missing");
    NoSuchFileException e = assertThrows(NoSuchFileException.class, () -> open(missing, false));
    assertEquals(missing.toString(), e.getFile());
    FileSystemException folders = assertThrows(FileSystemException.class, () -> open(folder, true));
    assertEquals(folder + ": Is a directory", folders.getMessage());
  }

  /** Nobody ever writes to it: whoever waits for that waits for ever. */
  @Test
  @Tag("java22")
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aPipeInTheFilesPlaceIsNotWaitedFor() throws Exception {
    Path pipe = folder.resolve("pipe");
    String mkfifo = Requirements.need("mkfifo").toString();
    assertEquals(0, new ProcessBuilder(mkfifo, pipe.toString()).start().waitFor());
    open(pipe, false).close();
    assertThrows(FileSystemException.class, () -> LocalFile.open(pipe, false, false).close());
  }

  @Test
  @Tag("java22")
  void aSymbolicLinkIsFollowedOrRefused() throws IOException {
    Path file = Files.write(folder.resolve("file"), new byte[] {7});
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    try (NativeFile followed = open(link, false)) {
      assertEquals(1, followed.size());
    }
    assertThrows(IOException.class, () -> open(link, false, LinkOption.NOFOLLOW_LINKS));
    open(file, false, LinkOption.NOFOLLOW_LINKS).close();
  }

  @Test
  @Tag("java22")
  void aNameThatIsNoTextIsFound() throws Exception {
    String shell = "printf x > \"$(printf 'caf\\351 %%41 \\304\\200')\"";
    Process process =
        new ProcessBuilder("sh", "-c", shell).directory(folder.toFile()).inheritIO().start();
    assertEquals(0, process.waitFor());
    List<Path> names;
    try (Stream<Path> list = Files.list(folder)) {
      names = list.toList();
    }
    assertEquals(1, names.size());
    try (NativeFile file = open(names.get(0), true)) {
      ByteBuffer seen = ByteBuffer.allocateDirect(5);
      assertEquals(1, file.read(seen, 0));
      assertEquals('x', seen.get(0));
    }
  }

  @Test
  @Tag("java22")
  void aRelativeNameIsOfTheWorkingDirectory() throws IOException {
    Path relative = Path.of("").toAbsolutePath().relativize(folder.resolve("file"));
    Files.write(relative, new byte[3]);
    try (NativeFile file = open(relative, false)) {
      assertEquals(3, file.size());
    }
  }

  @Test
  @Tag("java22")
  void aBufferThatIsOnlyReadIsNotWrittenInto() throws IOException {
    Path path = Files.write(folder.resolve("file"), new byte[] {7});
    try (NativeFile file = open(path, false)) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(1);
      assertThrows(IllegalArgumentException.class, () -> file.read(buffer.asReadOnlyBuffer(), 0));
      assertEquals(0, buffer.get(0));
    }
  }

  @Test
  @Tag("java22")
  void theErrorOfAWriteIsTheKernels() throws IOException {
    Path full = Path.of("/dev/full");
    try (NativeFile file = open(full, true)) {
      IOException e =
          assertThrows(IOException.class, () -> file.write(ByteBuffer.allocateDirect(1), 0));
      assertEquals("No space left on device", e.getMessage());
    }
  }

  @Test
  @Tag("java22")
  void whatIsNotNeededAgainLeavesTheCache() throws IOException {
    Requirements.need(
        !Files.getFileStore(folder).type().equals("tmpfs"), "needs a file system on a disk");
    Path path = folder.resolve("file");
    int length = 4 << 20;
    try (HostFile file = LocalFile.create(path);
        FileChannel channel = FileChannel.open(path)) {
      file.write(ByteBuffer.allocate(length), 0);
      file.flush();
      MappedByteBuffer cached = channel.map(FileChannel.MapMode.READ_ONLY, 0, length);
      assertTrue(cached.isLoaded());
      file.advise(Advice.SEQUENTIAL, 0, length);
      assertTrue(cached.isLoaded());
      file.advise(Advice.NOT_AGAIN, 0, length);
      assertFalse(cached.isLoaded());
    }
  }

  /** More calls at once than places were made for. */
  @Test
  @Tag("java22")
  void manyThreadsAtOnceEachGetTheirBytes() throws Exception {
    Path path = folder.resolve("file");
    int threads = 200;
    Files.write(path, new byte[threads]);
    try (NativeFile file = open(path, true)) {
      Thread[] all = new Thread[threads];
      boolean[] right = new boolean[threads];
      for (int i = 0; i < threads; i++) {
        int own = i;
        all[i] = new Thread(() -> right[own] = keepsItsByte(file, own));
        all[i].start();
      }
      for (int i = 0; i < threads; i++) {
        all[i].join();
        assertTrue(right[i], "thread " + i);
      }
    }
  }

  private static boolean keepsItsByte(NativeFile file, int own) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(1);
    try {
      for (int i = 0; i < 500; i++) {
        file.write(buffer.clear().put(0, (byte) (own + i)), own);
        file.read(buffer.clear().put(0, (byte) 0), own);
        if (buffer.get(0) != (byte) (own + i)) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void onJava17ItOpensNothing() {
    HostSystem system = new LinuxSystem();
    if (Runtime.version().feature() < 22) {
      assertFalse(system.isAvailable());
      assertThrows(
          UnsupportedOperationException.class, () -> system.open(folder.resolve("file"), false));
    } else {
      assertTrue(system.isAvailable());
    }
  }

  private static NativeFile open(Path path, boolean writable, LinkOption... links)
      throws IOException {
    return HostSystem.installed().orElseThrow().open(path, writable, links);
  }
}
