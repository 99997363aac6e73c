package io.vdisk.host.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.FileSlice;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Blocks that two files share. */
@Tag("java22")
class SharingTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  private static byte[] random() {
    byte[] bytes = new byte[4 * MIB];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return process.waitFor() == 0 ? "" : command[0] + ": " + said;
  }

  @Test
  void blocksAreSharedInXfs() throws Exception {
    String mkfs = Requirements.need("mkfs.xfs").toString();
    Path image = folder.resolve("xfs");
    try (FileChannel channel =
        FileChannel.open(image, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(1), 400 * MIB);
    }
    assertEquals("", run(mkfs, "-q", image.toString()));
    Path mounted = Files.createDirectory(folder.resolve("mounted"));
    String failure = run("mount", "-o", "loop", image.toString(), mounted.toString());
    Requirements.need(failure.isEmpty(), "needs XFS and a loop device: " + failure);
    try {
      sharesBlocks(mounted);
    } finally {
      assertEquals("", run("umount", mounted.toString()));
    }
  }

  private static void sharesBlocks(Path folder) throws IOException {
    byte[] bytes = random();
    Files.write(folder.resolve("source"), bytes);
    try (HostFile source = LocalFile.open(folder.resolve("source"), false);
        HostFile target = LocalFile.create(folder.resolve("target"))) {
      long before = Files.getFileStore(folder).getUsableSpace();
      assertEquals(2 * MIB, target.share(source, MIB, 3 * MIB, 2 * MIB));
      assertEquals(5 * MIB, target.size());
      assertEquals(0, target.share(source, MIB + 1, 0, 2 * MIB), "no whole blocks");
      assertEquals(MIB, new FileSlice(target, MIB, 2 * MIB).share(source, 0, MIB, MIB));
      target.flush();
      assertTrue(before - Files.getFileStore(folder).getUsableSpace() < MIB / 2);

      target.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 3 * MIB);
      ByteBuffer all = ByteBuffer.allocate(5 * MIB);
      target.readFully(all, 0);
      byte[] wanted = new byte[5 * MIB];
      System.arraycopy(bytes, 0, wanted, 2 * MIB, MIB);
      System.arraycopy(bytes, MIB, wanted, 3 * MIB, 2 * MIB);
      System.arraycopy(new byte[] {1, 2, 3}, 0, wanted, 3 * MIB, 3);
      assertArrayEquals(wanted, all.array());
      assertArrayEquals(bytes, Files.readAllBytes(folder.resolve("source")));
    }
  }

  @Test
  void whereTheyCannotBeSharedNothingIsDone() throws IOException {
    Requirements.need(
        Files.getFileStore(Path.of("/dev/shm")).type().equals("tmpfs"), "needs tmpfs");
    Path source = Files.write(folder.resolve("source"), random());
    Path target = Files.createTempFile(Path.of("/dev/shm"), "target", "");
    HostFile from = LocalFile.open(source, false);
    try (HostFile to = LocalFile.open(target, true)) {
      for (HostFile other : Arrays.asList(from, to, new MemoryFile("memory"))) {
        assertEquals(0, to.share(other, 0, 0, MIB));
      }
      assertEquals(0, to.size());
      from.close();
      assertThrows(ClosedChannelException.class, () -> to.share(from, 0, 0, MIB));
    } finally {
      from.close();
      Files.delete(target);
    }
  }
}
