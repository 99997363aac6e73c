package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.FrontRing;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.SharedFileFrontend;
import io.vdisk.backend.tap.SharedFileLayout;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.RamDisks;
import io.vdisk.backend.tap.disk.ResumeRequest;
import io.vdisk.backend.tap.disk.TapDisk;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Guests that come to an open disk by themselves, with a ring in a file. */
@Timeout(60)
class GuestSocketTest {
  @TempDir Path folder;

  private ControlledDisk disk;

  @BeforeEach
  void disk() throws Exception {
    Files.write(folder.resolve("disk"), new byte[1 << 20]);
    disk =
        new TapDisks(
                DiskPolicy.DEFAULT.withWriteLogs(folder.resolve("writes")), Optional.of(folder))
            .attach(3);
  }

  private SharedFileFrontend guest() throws IOException {
    return SharedFileFrontend.connect(
        folder.resolve("ring3"),
        folder.resolve("file"),
        new SharedFileLayout(RingAbi.ofHost(), 1, 8));
  }

  static int write(SharedFileFrontend guest, String text) throws IOException {
    guest.data().put(0, text.getBytes(StandardCharsets.US_ASCII));
    FrontRing ring = guest.ring();
    ring.next().operation(1, 8).segment(0, 0, 0);
    ring.put();
    ring.publish();
    guest.ringBell();
    while (ring.waiting() == 0 && ring.mayAwaitResponses()) {
      assertTrue(guest.await());
    }
    return ring.take().status();
  }

  @Test
  void guestIsServedWhileTheDiskIsOpen() throws Exception {
    disk.open(OpenRequest.of("aio:" + folder.resolve("disk")));
    try (SharedFileFrontend guest = guest()) {
      assertEquals(2048, guest.sectors());
      assertEquals(0, write(guest, "hello"));
      disk.close(false);
      assertFalse(guest.await(), "the ring was let go");
    }

    byte[] bytes = Files.readAllBytes(folder.resolve("disk"));
    assertEquals("hello", new String(bytes, 4096, 5, StandardCharsets.US_ASCII));
    assertFalse(Files.exists(folder.resolve("ring3")));
  }

  @Test
  void guestThatComesToAPausedDiskIsToldSo() throws Exception {
    disk.open(OpenRequest.of("aio:" + folder.resolve("disk")));
    disk.pause();

    try (SharedFileFrontend guest = guest()) {
      assertFalse(guest.await());
    }
    disk.resume(new ResumeRequest(Optional.empty(), Optional.empty(), Optional.empty()));
    try (SharedFileFrontend guest = guest()) {
      assertEquals(0, write(guest, "again"));
    }
    disk.close(false);
  }

  @Test
  void socketOfAProcessThatWasKilledIsReplaced() throws Exception {
    Files.createFile(folder.resolve("ring3"));

    disk.open(OpenRequest.of("aio:" + folder.resolve("disk")));
    guest().close();
    disk.close(false);

    assertFalse(Files.exists(folder.resolve("ring3")));
  }

  /** A forced closing comes beside an opening, and between its two steps. */
  @Test
  void diskThatWasClosedWhileItWasOpenedHasNoSocket() throws Exception {
    Path path = folder.resolve("ring5");
    TapDisk closed = new TapDisk(5, DiskPolicy.DEFAULT, new RamDisks(1 << 20));
    GuestSocket socket = new GuestSocket(closed, Optional.of(path));
    closed.open(OpenRequest.of("ram:64K"));
    closed.close(true);

    socket.open();
    assertFalse(Files.exists(path));

    closed.open(OpenRequest.of("ram:64K"));
    socket.open();
    socket.closeUnlessOpen();
    assertTrue(Files.exists(path));
    closed.close(true);
    socket.closeUnlessOpen();
    assertFalse(Files.exists(path));
  }

  @Test
  void diskWhoseSocketCannotBeRemovedIsClosed() throws Exception {
    disk.open(OpenRequest.of("aio:" + folder.resolve("disk")));
    Files.delete(folder.resolve("ring3"));
    Files.createDirectories(folder.resolve("ring3").resolve("in the way"));

    assertThrows(DiskException.class, () -> disk.close(false));

    assertEquals(Optional.empty(), disk.name());
    disk.detach();
  }

  @Test
  void diskWhoseSocketCannotBeIsNotOpen() throws Exception {
    ControlledDisk lost =
        new TapDisks(DiskPolicy.DEFAULT, Optional.of(folder.resolve("none"))).attach(4);

    DiskException thrown =
        assertThrows(
            DiskException.class, () -> lost.open(OpenRequest.of("aio:" + folder.resolve("disk"))));

    assertTrue(thrown.sentence().contains("ring4"), thrown.sentence());
    assertEquals(Optional.empty(), lost.name());
  }
}
