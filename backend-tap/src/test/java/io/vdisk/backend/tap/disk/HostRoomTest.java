package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the host has for a file. */
final class HostRoomTest {
  @TempDir Path folder;

  @Test
  void theReserveIsNobodysToTake() throws Exception {
    HostRoom room = () -> HostRoom.RESERVE + 512;
    assertTrue(room.hasRoomFor(512));
    assertFalse(room.hasRoomFor(513));
    HostRoom less = () -> 0;
    assertFalse(less.hasRoomFor(0));
  }

  @Test
  void aFileHasThatOfItsFileSystemAndADeviceItsOwn() throws Exception {
    HostRoom room = HostRoom.of(Files.write(folder.resolve("file"), new byte[512]));
    assertFalse(room.hasRoomFor(Long.MAX_VALUE - HostRoom.RESERVE));
    assertTrue(room.usableBytes() <= Files.getFileStore(folder).getTotalSpace());
    assertEquals(Long.MAX_VALUE, HostRoom.of(Path.of("/dev/null")).usableBytes());
  }
}
