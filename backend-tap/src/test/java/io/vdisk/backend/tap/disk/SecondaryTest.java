package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What -2 and -s of tap-ctl do to a disk. */
final class SecondaryTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  private final TapDisk disk =
      new TapDisk(0, DiskPolicy.DEFAULT, new RamDisks(8 * MIB), GuestRing::start);
  private final GuestRing guest = new GuestRing();
  private Path first;
  private Path second;

  @BeforeEach
  void make() throws Exception {
    first = Files.write(folder.resolve("first"), new byte[MIB]);
    second = Files.write(folder.resolve("second"), new byte[MIB]);
  }

  @AfterEach
  void letGo() throws Exception {
    disk.close(true);
  }

  private OpenRequest mirrored() {
    return OpenRequest.of("aio:" + first).withSecondary("aio:" + second);
  }

  @Test
  void aMirrorIsACopy() throws Exception {
    disk.open(mirrored());
    disk.serve(guest.transport());
    Bytes.write(guest.device, 8192, 7, 4096);
    guest.device.writeZeroes(8192, 512);
    guest.device.flush();
    assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
    assertEquals(7, Files.readAllBytes(second)[9000]);
    String statistics = disk.statistics();
    assertTrue(
        statistics.contains("{ \"name\": \"" + second + "\", \"hits\": [ 0, 0 ]"), statistics);
    assertTrue(statistics.contains("\"nbd_mirror_failed\": 0"), statistics);
  }

  @Test
  void aMirrorGrowsToo() throws Exception {
    disk.open(mirrored());
    disk.serve(guest.transport());
    disk.grow(4096);
    Bytes.write(guest.device, 2 * MIB - 512, 7, 512);
    assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
  }

  @Test
  void aMirrorThatCannotGrowIsGivenUpAndStaysSoUntilItIsNamedAgain() throws Exception {
    disk.open(OpenRequest.of("aio:" + first).withSecondary("ram:1M"));
    disk.serve(guest.transport());
    disk.grow(4096);
    assertTrue(disk.statistics().contains("\"nbd_mirror_failed\": 1"));
    Bytes.write(guest.device, 2 * MIB - 512, 7, 512);
    disk.pause();
    disk.resume(ResumeRequest.SAME);
    assertTrue(disk.statistics().contains("\"nbd_mirror_failed\": 1"));
    disk.pause();
    Files.copy(first, folder.resolve("third"));
    disk.resume(
        new ResumeRequest(
            java.util.Optional.empty(),
            java.util.Optional.empty(),
            java.util.Optional.of("aio:" + folder.resolve("third"))));
    assertTrue(disk.statistics().contains("\"nbd_mirror_failed\": 0"));
    Bytes.write(guest.device, 0, 8, 512);
    assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(folder.resolve("third")));
  }

  @Test
  void nullTakesTheMirrorAway() throws Exception {
    disk.open(mirrored());
    disk.pause();
    disk.resume(
        new ResumeRequest(
            java.util.Optional.empty(), java.util.Optional.empty(), java.util.Optional.of("null")));
    disk.serve(guest.transport());
    Bytes.write(guest.device, 0, 7, 512);
    assertArrayEquals(new byte[MIB], Files.readAllBytes(second));
    disk.close(false);
    disk.open(OpenRequest.of("aio:" + first).withSecondary("null"));
  }

  @Test
  void aReadOnlyDiskHasNothingToMirror() throws Exception {
    disk.open(mirrored().withFlag(OpenFlag.READ_ONLY));
    disk.serve(guest.transport());
    assertArrayEquals(new byte[512], Bytes.read(guest.device, 0, 512));
  }

  @Test
  void aStandbyMustBeAbleToStandAboveTheImage() throws Exception {
    OpenRequest raw = mirrored().withFlag(OpenFlag.STANDBY);
    DiskException e = assertThrows(DiskException.class, () -> disk.open(raw));
    assertTrue(e.getMessage().contains("reads from no other image"), e.getMessage());
    Path standby = folder.resolve("standby.qcow2");
    Images.create(standby, CreateOptions.of("qcow2", MIB)).close();
    disk.open(OpenRequest.of("aio:" + first, OpenFlag.STANDBY).withSecondary("qcow2:" + standby));
    disk.serve(guest.transport());
    Bytes.write(guest.device, 0, 7, 512);
    assertArrayEquals(Bytes.of(7, 512), Bytes.read(guest.device, 0, 512));
    DiskException grown = assertThrows(DiskException.class, () -> disk.grow(4096));
    assertTrue(grown.getMessage().contains("has a standby image"), grown.getMessage());
  }

  @Test
  void aLogMarksWhatAMirroredDiskWrites() throws Exception {
    Path log = folder.resolve("log");
    byte[] empty = new byte[50];
    empty[42] = 0x10; // 1 MiB, little endian
    Files.write(log, empty);
    disk.open(mirrored().withLog(java.util.Optional.of(log)));
    disk.serve(guest.transport());
    Bytes.write(guest.device, 65_536, 7, 512);
    byte[] bits = Files.readAllBytes(log);
    assertEquals(2, bits[48]);
    assertTrue(
        disk.statistics().contains("\"images\": [ { \"name\": \"" + log + "\""), disk.statistics());
    disk.pause();
    disk.resume(ResumeRequest.SAME);
    Bytes.write(guest.device, 0, 7, 512);
    assertEquals(2, Files.readAllBytes(log)[48], "a resume that names no log has none");
  }
}
