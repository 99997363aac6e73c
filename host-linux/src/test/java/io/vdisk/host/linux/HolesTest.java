package io.vdisk.host.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Holes, found and punched, in the file system of the temporary folder and in tmpfs. */
@Tag("java22")
class HolesTest {
  private static final int MIB = 1 << 20;

  /** What every file system here can. */
  abstract static class Holes {
    private Path path;
    private HostFile file;

    abstract Path folder();

    @BeforeEach
    void create() throws IOException {
      path = Files.createTempFile(folder(), "holes", "");
      file = LocalFile.open(path, true);
    }

    @AfterEach
    void delete() throws IOException {
      file.close();
      Files.delete(path);
    }

    private void fill(long offset, int length) throws IOException {
      ByteBuffer bytes = ByteBuffer.allocate(length);
      while (bytes.hasRemaining()) {
        bytes.put((byte) 1);
      }
      file.write(bytes.flip(), offset);
    }

    private long allocated() throws IOException {
      return file.allocatedSize().orElseThrow();
    }

    @Test
    void dataThatWasNotWrittenBackYetIsData() throws IOException {
      file.resize(10 * MIB);
      fill(2 * MIB, MIB);
      fill(7 * MIB, 4096);

      assertEquals(-2 * MIB, file.dataEnd(0, 10 * MIB));
      assertEquals(3 * MIB, file.dataEnd(2 * MIB, 8 * MIB));
      assertEquals(-7 * MIB, file.dataEnd(3 * MIB, 7 * MIB));
      assertEquals(7 * MIB + 4096, file.dataEnd(7 * MIB, 3 * MIB));
      assertEquals(-10 * MIB, file.dataEnd(7 * MIB + 4096, 3 * MIB - 4096));
    }

    @Test
    void theAnswerKeepsToItsLimit() throws IOException {
      file.resize(10 * MIB);
      fill(2 * MIB, MIB);
      assertEquals(-(MIB + 5), file.dataEnd(5, MIB));
      assertEquals(2 * MIB + 7, file.dataEnd(2 * MIB + 2, 5));
      assertEquals(2 * MIB + 9, file.dataEnd(2 * MIB + 4, 5));
      assertEquals(3 * MIB, file.dataEnd(2 * MIB + 4, Long.MAX_VALUE));
      assertEquals(-Long.MAX_VALUE, file.dataEnd(3 * MIB, Long.MAX_VALUE));
      assertEquals(-Long.MAX_VALUE, file.dataEnd(20 * MIB, Long.MAX_VALUE));
    }

    @Test
    void dataWrittenBehindDataThatWasSeenIsSeen() throws IOException {
      file.resize(8 * MIB);
      fill(0, MIB);
      assertEquals(MIB, file.dataEnd(0, 8 * MIB));
      fill(MIB, MIB);
      assertEquals(2 * MIB, file.dataEnd(MIB, 7 * MIB));
      assertEquals(-8 * MIB, file.dataEnd(2 * MIB, 6 * MIB));
    }

    @Test
    void whatIsPunchedIsAHoleAndItsBlocksAreFree() throws Exception {
      fill(0, 8 * MIB);
      file.flush();
      assertEquals(8 * MIB, file.dataEnd(0, 8 * MIB));
      long before = allocated(); // XFS takes more than it was given
      assertTrue(before >= 8 * MIB);

      assertTrue(file.zero(2 * MIB, 4 * MIB, false));

      assertEquals(2 * MIB, file.dataEnd(0, 8 * MIB));
      assertEquals(-6 * MIB, file.dataEnd(2 * MIB, 6 * MIB));
      assertTrue(before - allocated() > 3 * MIB, before + " before, then " + allocated());
      assertEquals(8 * MIB, file.size());
      ByteBuffer seen = ByteBuffer.allocate(4 * MIB);
      file.readFully(seen, 2 * MIB);
      assertArrayEquals(new byte[4 * MIB], seen.array());
    }

    @Test
    void whatIsPunchedInOtherBytesThanBlocksReadsAsZero() throws IOException {
      fill(0, MIB);
      assertTrue(file.zero(1, 2 * MIB, false));
      assertEquals(MIB, file.size());
      ByteBuffer seen = ByteBuffer.allocate(MIB);
      file.readFully(seen, 0);
      byte[] wanted = new byte[MIB];
      wanted[0] = 1;
      assertArrayEquals(wanted, seen.array());
    }

    @Test
    void whatItOccupiesIsWhatOthersSay() throws Exception {
      file.resize(8 * MIB);
      fill(MIB, 3 * MIB);
      file.flush();
      Process process =
          new ProcessBuilder(Requirements.need("stat").toString(), "-c", "%b", path.toString())
              .start();
      String blocks = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor());
      assertEquals(Long.parseLong(blocks.strip()) * 512, allocated());
    }

    @Test
    void spaceIsSetAsideWithoutWriting() throws Exception {
      fill(0, MIB);
      assertTrue(file.allocate(MIB / 2, 4 * MIB));
      assertEquals(MIB / 2 + 4 * MIB, file.size());
      assertTrue(allocated() >= 4 * MIB);
      assertTrue(file.dataEnd(0, MIB) > 0);
      ByteBuffer seen = ByteBuffer.allocate(4 * MIB);
      file.readFully(seen, MIB / 2);
      assertEquals(1, seen.get(MIB / 2 - 1));
      assertEquals(0, seen.get(MIB / 2));
      assertEquals(0, seen.get(4 * MIB - 1));
    }

    @Test
    void aHoleThatIsWrittenAgainIsData() throws IOException {
      file.resize(4 * MIB);
      assertEquals(-4 * MIB, file.dataEnd(0, 4 * MIB));
      fill(0, MIB);
      assertEquals(MIB, file.dataEnd(0, 4 * MIB));
      assertTrue(file.zero(0, MIB, false));
      assertEquals(-4 * MIB, file.dataEnd(0, 4 * MIB));
      fill(MIB, MIB);
      file.resize(MIB);
      file.resize(4 * MIB);
      assertEquals(-4 * MIB, file.dataEnd(0, 4 * MIB));
    }
  }

  @Nested
  class InTheTemporaryFolder extends Holes {
    @TempDir Path folder;

    @Override
    Path folder() {
      return folder;
    }

    @Test
    void zeroingThatKeepsSpaceFreesNoBlocks() throws Exception {
      Path path = Files.write(folder.resolve("file"), new byte[MIB]);
      try (HostFile file = LocalFile.open(path, true)) {
        file.flush();
        boolean can = file.zero(0, MIB, true);
        Requirements.need(can, "needs a file system that zeroes ranges, as ext4 and XFS do");
        assertTrue(file.allocatedSize().orElseThrow() >= MIB);
      }
    }
  }

  @Nested
  class InMemory extends Holes {
    @Override
    Path folder() {
      Path memory = Path.of("/dev/shm");
      Requirements.need(Files.isWritable(memory), "needs " + memory);
      return memory;
    }

    @Test
    void zeroingThatKeepsSpaceIsNotPossible() throws IOException {
      Path path = Files.createTempFile(folder(), "holes", "");
      try (HostFile file = LocalFile.open(path, true)) {
        file.write(ByteBuffer.allocate(MIB), 0);
        assertFalse(file.zero(0, MIB, true));
        assertFalse(file.zero(0, MIB, true));
        assertTrue(file.zero(0, MIB, false));
      } finally {
        Files.delete(path);
      }
    }
  }
}
