package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.ReferencePolicy;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.RamDisks;
import io.vdisk.backend.tap.disk.ResumeRequest;
import io.vdisk.backend.tap.disk.ServedRing;
import io.vdisk.backend.tap.disk.SharedFileDisk;
import io.vdisk.backend.tap.disk.TapDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A whole disk: its images, its control operations, and guests at their rings. */
@Timeout(60)
final class ServedDiskTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  private final List<Guest> guests = new ArrayList<>();
  private TapDisk disk;
  private SharedFileListener listener;
  private int served; // guarded by this

  @BeforeEach
  void listen() throws IOException {
    DiskPolicy policy = DiskPolicy.DEFAULT.withWriteLogs(folder.resolve("writes-"));
    disk = new TapDisk(0, policy, new RamDisks(8 * MIB));
    listener = SharedFileListener.open(folder.resolve("s"), new SharedFileDisk(disk, this::count));
  }

  @AfterEach
  void leave() throws IOException {
    for (Guest guest : guests) {
      guest.frontend().close();
    }
    listener.close();
    disk.close(true);
  }

  private synchronized void count(ServedRing ring) {
    served++;
    notifyAll();
  }

  private synchronized Guest guest() throws Exception {
    Guest guest =
        new Guest(
            SharedFileFrontend.connect(
                folder.resolve("s"),
                folder.resolve("ring" + guests.size()),
                new SharedFileLayout(RingAbi.ofHost(), 1, 32)));
    guests.add(guest);
    while (served < guests.size()) {
      wait();
    }
    return guest;
  }

  private static byte[] filled(int value, int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  @Test
  void twoGuestsOfOneRamDiskSeeEachOthersWrites() throws Exception {
    disk.open(OpenRequest.of("ram:1M", OpenFlag.SHARED));
    Guest one = guest();
    Guest two = guest();
    assertEquals(0, one.write(8, filled(1, 8192)));
    assertArrayEquals(filled(1, 8192), two.read(8, 8192));
    assertEquals(0, two.write(16, filled(2, 4096)));
    assertArrayEquals(filled(2, 4096), one.read(16, 4096));
    String statistics = disk.statistics();
    assertTrue(statistics.contains("\"secs\": [ 24, 24 ]"), statistics);
    assertTrue(statistics.contains("\"reqs_outstanding\": 0"), statistics);
  }

  @Test
  void aRequestOfAPausedDiskWaitsAndIsAnsweredByTheSnapshot() throws Exception {
    Path base = folder.resolve("base.qcow2");
    Images.create(base, CreateOptions.of("qcow2", 8 * MIB)).close();
    disk.open(OpenRequest.of("qcow2:" + base));
    Guest guest = guest();
    assertEquals(0, guest.write(0, filled(1, 4096)));
    disk.pause();
    guest.frontend().data().put(0, filled(2, 4096));
    long asked = guest.ask(r -> r.operation(1, 8).segment(0, 0, 7));
    Path child = folder.resolve("child.qcow2");
    Images.create(
            child,
            CreateOptions.overlay("qcow2", base.toString(), "qcow2")
                .withReferences(ReferencePolicy.any()))
        .close();
    disk.resume(ResumeRequest.of("qcow2:" + child));
    assertEquals(0, guest.answer(asked).status());
    assertArrayEquals(filled(1, 4096), guest.read(0, 4096));
    assertArrayEquals(filled(2, 4096), guest.read(8, 4096));
    disk.close(false);
    disk.open(OpenRequest.of("qcow2:" + base, OpenFlag.READ_ONLY));
    Guest later = guest();
    assertArrayEquals(new byte[4096], later.read(8, 4096));
    assertEquals(-1, later.write(8, filled(3, 4096)));
  }

  @Test
  void aGuestSeesItsDiskGrow() throws Exception {
    Path image = folder.resolve("image.vhd");
    Images.create(image, CreateOptions.of("vhd", 8 * MIB)).close();
    disk.open(OpenRequest.of("vhd:" + image));
    Guest guest = guest();
    assertEquals(16_384, guest.frontend().sectors());
    assertEquals(-1, guest.write(16_384, filled(1, 4096)));
    disk.grow(32_768);
    assertEquals(32_768, guest.frontend().sectors());
    assertEquals(0, guest.write(16_384, filled(1, 4096)));
    assertArrayEquals(filled(1, 4096), guest.read(16_384, 4096));
  }

  @Test
  void whatAGuestWroteIsKeptOnlyUntilItIsDurable() throws Exception {
    Path image = folder.resolve("image.qcow2");
    Images.create(image, CreateOptions.of("qcow2", 8 * MIB)).close();
    disk.open(OpenRequest.of("qcow2:" + image));
    Guest guest = guest();
    assertEquals(0, guest.write(0, filled(1, 4096)));
    assertEquals(1, logs());
    disk.pause();
    disk.close(false);
    assertEquals(0, logs());
  }

  private int logs() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return (int) files.filter(f -> f.getFileName().toString().startsWith("writes-")).count();
    }
  }
}
