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
  private static final long MIB = 1 << 20;
  private static final long SECOND = 1_000_000_000;

  @TempDir Path folder;

  private long usable;
  private long now = -5 * SECOND; // a clock may say what it likes
  private int questions;

  private final HostRoom room =
      new HostRoom(
          () -> {
            questions++;
            return usable;
          },
          () -> now);

  @Test
  void theReserveIsNobodysToTake() throws Exception {
    usable = HostRoom.RESERVE + 512;
    assertTrue(room.take(512));
    assertFalse(room.take(513));
    usable = 0;
    assertFalse(room.take(1));
    usable = HostRoom.RESERVE + 1;
    assertTrue(room.take(1));
  }

  @Test
  void aSixteenthOfTheRoomIsTakenWithoutAskingAgain() throws Exception {
    usable = HostRoom.RESERVE + 160 * MIB;
    for (int i = 0; i < 10; i++) {
      assertTrue(room.take(MIB));
    }
    assertEquals(1, questions);
    usable = HostRoom.RESERVE;
    assertFalse(room.take(1));
    assertEquals(2, questions);
  }

  @Test
  void whatWasSaidASecondAgoIsNotBelieved() throws Exception {
    usable = HostRoom.RESERVE + 160 * MIB;
    assertTrue(room.take(MIB));
    usable = HostRoom.RESERVE;
    now += SECOND - 1;
    assertTrue(room.take(MIB));
    now++;
    assertFalse(room.take(1));
    assertEquals(2, questions);
  }

  @Test
  void whereThereIsLittleRoomTheHostIsAskedEachTime() throws Exception {
    usable = HostRoom.RESERVE + MIB;
    for (int i = 0; i < 8; i++) {
      assertTrue(room.take(MIB / 8));
      usable -= MIB / 8;
    }
    assertEquals(8, questions);
    assertFalse(room.take(1));
  }

  @Test
  void aFileHasThatOfItsFileSystemAndADeviceItsOwn() throws Exception {
    HostRoom file = HostRoom.of(Files.write(folder.resolve("file"), new byte[512]));
    assertFalse(file.take(Long.MAX_VALUE - HostRoom.RESERVE));
    assertTrue(HostRoom.of(Path.of("/dev/null")).take(Long.MAX_VALUE - HostRoom.RESERVE));
  }
}
