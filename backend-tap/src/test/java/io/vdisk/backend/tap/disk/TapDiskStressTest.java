package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Control operations of several threads while guests are busy. */
@Timeout(120)
final class TapDiskStressTest {
  private static final int MIB = 1 << 20;
  private static final long SEED = 20261128;

  @TempDir Path folder;

  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  @Test
  void nothingIsLostAndNothingFails() throws Exception {
    Path image = folder.resolve("image.qcow2");
    Images.create(image, CreateOptions.of("qcow2", 8 * MIB)).close();
    Path copy = Files.copy(image, folder.resolve("copy.qcow2"));
    TapDisk disk = new TapDisk(0, DiskPolicy.DEFAULT, new RamDisks(MIB), BusyRing::start);
    disk.open(OpenRequest.of("qcow2:" + image).withSecondary("qcow2:" + copy));
    List<BusyRing> guests = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      guests.add(new BusyRing(i * 2L * MIB, SEED + i));
      disk.serve(guests.get(i).transport());
    }
    for (BusyRing guest : guests) {
      guest.awaitRequest();
    }
    Thread one = control(disk, 1);
    Thread two = control(disk, 2);
    one.join();
    two.join();
    disk.close(false);
    assertNull(failure.get());
    for (BusyRing guest : guests) {
      assertNull(guest.failure);
    }
    assertEquals(-1, Files.mismatch(content(image), content(copy)), "seed " + SEED);
  }

  private Thread control(TapDisk disk, int number) {
    Random random = new Random(SEED - number);
    Thread thread =
        new Thread(
            () -> {
              try {
                for (int i = 0; i < 60; i++) {
                  operate(disk, random.nextInt(4));
                }
              } catch (DiskException | RuntimeException e) {
                failure.set(e);
              }
            });
    thread.start();
    return thread;
  }

  private static void operate(TapDisk disk, int what) throws DiskException {
    switch (what) {
      case 0 -> disk.pause();
      case 1 -> resumed(disk);
      case 2 -> assertTrue(disk.statistics().startsWith("{ \"name\": \"qcow2:"));
      default -> assertTrue(disk.info().sectors() >= 8 * MIB / 512);
    }
  }

  private static void resumed(TapDisk disk) throws DiskException {
    try {
      disk.resume(ResumeRequest.SAME);
    } catch (DiskException e) {
      if (!e.is(Errno.EINVAL)) { // the other thread was first, or nobody paused it
        throw e;
      }
    }
  }

  /** What a guest would read from an image, in a file. */
  private Path content(Path image) throws Exception {
    Path file = folder.resolve(image.getFileName() + ".raw");
    try (var device = Images.open(image, io.vdisk.OpenOptions.readOnly().withFormat("qcow2"))) {
      Files.write(file, Bytes.read(device, 0, 8 * MIB));
    }
    return file;
  }
}
