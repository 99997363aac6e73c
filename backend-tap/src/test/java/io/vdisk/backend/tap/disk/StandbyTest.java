package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk whose image runs out of space while its guest writes. */
final class StandbyTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  private final FullFiles files = new FullFiles();
  private final TapDisk disk =
      new TapDisk(
          0, DiskPolicy.DEFAULT.withReferences(files), new RamDisks(8 * MIB), GuestRing::start);
  private final GuestRing guest = new GuestRing();
  private String standby;

  @BeforeEach
  void open() throws Exception {
    Path image = folder.resolve("image.qcow2");
    Images.create(
            image,
            CreateOptions.of("qcow2", 8 * MIB)
                .withOption("data_file", folder.resolve("data").toString())
                .withReferences(files))
        .close();
    standby = "qcow2:" + folder.resolve("standby.qcow2");
    Images.create(folder.resolve("standby.qcow2"), CreateOptions.of("qcow2", 8 * MIB)).close();
    disk.open(OpenRequest.of("qcow2:" + image, OpenFlag.STANDBY).withSecondary(standby));
    disk.serve(guest.transport());
    Bytes.write(guest.device, 0, 1, 65_536);
    files.isFull = true;
    Bytes.write(guest.device, 4096, 2, 4096);
  }

  @AfterEach
  void letGo() throws Exception {
    disk.close(true);
  }

  private void assertContent() throws Exception {
    assertArrayEquals(Bytes.of(1, 4096), Bytes.read(guest.device, 0, 4096));
    assertArrayEquals(Bytes.of(2, 4096), Bytes.read(guest.device, 4096, 4096));
  }

  @Test
  void theGuestGoesOnAboveIt() throws Exception {
    assertContent();
    String statistics = disk.statistics();
    assertTrue(statistics.contains("\"FIXME_enospc_redirect_count\": 8"), statistics);
    assertTrue(
        statistics.contains("\"images\": [ { \"name\": \"" + standby.substring(6)), statistics);
  }

  @Test
  void theStandbyStaysInUseOverAPause() throws Exception {
    disk.pause();
    files.isFull = false;
    disk.resume(new ResumeRequest(disk.name(), Optional.empty(), Optional.of(standby)));
    assertContent();
    Bytes.write(guest.device, 8192, 3, 512);
    assertArrayEquals(Bytes.of(3, 512), Bytes.read(guest.device, 8192, 512));
    assertContent();
  }

  @Test
  void whoOpensBothAgainReadsWhatTheStandbyHolds() throws Exception {
    OpenRequest request =
        OpenRequest.of(disk.name().orElseThrow(), OpenFlag.STANDBY).withSecondary(standby);
    disk.close(false);
    files.isFull = false;
    disk.open(request.withFlag(OpenFlag.READ_ONLY));
    disk.serve(guest.transport());
    assertContent();
    disk.close(false);
    disk.open(request);
    disk.serve(guest.transport());
    assertContent();
    Bytes.write(guest.device, 0, 1, 512);
    assertContent();
    assertTrue(disk.statistics().contains("\"FIXME_enospc_redirect_count\": 1"));
  }

  @Test
  void itDoesNotGoOnFromAnotherImageByMistake() throws Exception {
    disk.pause();
    DiskException e =
        assertThrows(DiskException.class, () -> disk.resume(ResumeRequest.of("ram:8M")));
    assertEquals(Errno.EINVAL.number(), e.number());
    assertTrue(e.getMessage().contains("has written to its standby image " + standby));
    assertThrows(
        DiskException.class,
        () ->
            disk.resume(
                new ResumeRequest(Optional.empty(), Optional.empty(), Optional.of("null"))));
    disk.resume(ResumeRequest.SAME);
    assertContent();
  }
}
