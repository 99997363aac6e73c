package io.vdisk.host.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Block devices, by one over a file. */
@Tag("java22")
class DevicesTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;
  private Path losetup;
  private Path backing;
  private Path device;

  @BeforeEach
  void attach() throws Exception {
    losetup = Requirements.need("losetup");
    backing = folder.resolve("backing");
    byte[] ones = new byte[8 * MIB];
    Arrays.fill(ones, (byte) 1);
    Files.write(backing, ones);
    Process process =
        new ProcessBuilder(losetup.toString(), "-f", "--show", backing.toString()).start();
    String name =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    Requirements.need(
        process.waitFor() == 0, "needs a loop device: to be root, outside a container");
    device = Path.of(name);
  }

  @AfterEach
  void detach() throws Exception {
    if (device != null) {
      assertEquals(0, new ProcessBuilder(losetup.toString(), "-d", "" + device).start().waitFor());
    }
  }

  @Test
  void aDeviceIsAllData() throws IOException {
    try (HostFile file = LocalFile.open(device, true)) {
      assertEquals(8 * MIB, file.size());
      assertEquals(8 * MIB, file.dataEnd(0, 8 * MIB));
      assertEquals(5, file.dataEnd(4, 1));
    }
  }

  @Test
  void aDeviceIsReadAndWrittenPastThePageCache() throws IOException {
    try (HostFile file = LocalFile.openDirect(device, true, true)) {
      file.write(ByteBuffer.wrap(new byte[] {7, 8}), 8 * MIB - 2);
      assertThrows(IOException.class, () -> file.write(ByteBuffer.allocate(1), 8 * MIB));
      ByteBuffer seen = ByteBuffer.allocate(5);
      assertEquals(3, file.read(seen, 8 * MIB - 3));
      assertArrayEquals(new byte[] {1, 7, 8, 0, 0}, seen.array());
      assertEquals(8 * MIB, file.size());
    }
  }

  @Test
  void wholeSectorsAreZeroedAndNoOthers() throws IOException {
    try (HostFile file = LocalFile.open(device, true)) {
      for (boolean keepSpace : new boolean[] {false, true}) {
        int from = keepSpace ? 4 * MIB : MIB;
        assertFalse(file.zero(from + 1, 4096, keepSpace));
        assertTrue(file.zero(from, MIB, keepSpace));
        file.flush();
        ByteBuffer seen = ByteBuffer.allocate(MIB + 2);
        file.readFully(seen, from - 1);
        byte[] wanted = new byte[MIB + 2];
        wanted[0] = 1;
        wanted[MIB + 1] = 1;
        assertArrayEquals(wanted, seen.array(), "keepSpace " + keepSpace);
      }
    }
  }

  @Test
  void zeroingEndsAtTheEndOfTheDevice() throws IOException {
    try (HostFile file = LocalFile.open(device, true)) {
      assertTrue(file.zero(7 * MIB, 5 * MIB, false));
      assertTrue(file.zero(20 * MIB, MIB, false));
      assertEquals(8 * MIB, file.size());
      ByteBuffer seen = ByteBuffer.allocate(MIB);
      file.readFully(seen, 7 * MIB);
      assertArrayEquals(new byte[MIB], seen.array());
    }
  }
}
