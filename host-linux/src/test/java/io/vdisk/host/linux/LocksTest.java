package io.vdisk.host.linux;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Locks of open file descriptions; FileLockTest of the test kit tests them as images' locks. */
@Tag("java22")
class LocksTest {
  @TempDir Path folder;
  private Path path;

  @BeforeEach
  void create() throws IOException {
    path = Files.write(folder.resolve("file"), new byte[1 << 20]);
  }

  private NativeFile open(boolean writable) throws IOException {
    return HostSystem.installed().orElseThrow().open(path, writable);
  }

  @Test
  void twoOfOneProcessAreInEachOthersWay() throws IOException {
    try (NativeFile one = open(true);
        NativeFile two = open(true)) {
      assertTrue(one.lock(100, 10, false));
      assertFalse(two.lock(105, 1, true));
      assertTrue(two.lock(110, 1, false));
      one.unlock(105, 1);
      assertTrue(two.lock(105, 1, true));
      assertFalse(one.lock(100, 10, false));
      assertTrue(one.lock(105, 1, true));
    }
  }

  @Test
  void itEndsWithItsFileAndNotWithAnother() throws IOException {
    try (NativeFile other = open(true)) {
      try (NativeFile holder = open(true)) {
        assertTrue(holder.lock(0, 1, false));
        open(true).close();
        try (RandomAccessFile channel = new RandomAccessFile(path.toFile(), "rw")) {
          assertTrue(channel.getChannel().size() > 0);
        }
        FileChannel.open(path, StandardOpenOption.READ).close();
        assertFalse(other.lock(0, 1, true));
      }
      assertTrue(other.lock(0, 1, true));
    }
  }

  @Test
  void aFileThatIsOnlyReadCannotBeLockedAlone() throws IOException {
    try (NativeFile file = open(false)) {
      assertTrue(file.lock(0, 1, true));
      assertThrows(IOException.class, () -> file.lock(0, 1, false));
    }
  }

  /** Whatever in this process opens and closes the file: the locks of POSIX would be gone. */
  @Test
  void anImageStaysLockedWhenOtherCodeOpensAndClosesItsFile() throws Exception {
    try (HostFile image = LocalFile.open(path, true)) {
      Files.readAllBytes(path);
      FileChannel.open(path, StandardOpenOption.WRITE).close();
      assertTrue(image.isLocked());
      Process qemu =
          new ProcessBuilder(
                  Requirements.need("qemu-io").toString(), "-f", "raw", "-c", "quit", "" + path)
              .redirectErrorStream(true)
              .start();
      qemu.getOutputStream().close();
      String said = new String(qemu.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(qemu.waitFor() != 0 && said.contains("lock"), said);
    }
  }
}
