package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.ReferencePolicy;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.SharedFileFrontend;
import io.vdisk.backend.tap.SharedFileLayout;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.LastClosings;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.ResumeRequest;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process in which disks come and go for months: nothing of one that went stays behind. */
@Timeout(120)
class RepeatedAttachTest {
  private static final int MIB = 1 << 20;
  private static final int MINOR = 3;
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  /** What the JVM itself may open or start meanwhile. */
  private static final int SLACK = 8;

  @TempDir Path folder;

  private OpenRequest request;

  @BeforeEach
  void images() throws IOException {
    Requirements.need(Files.isDirectory(DESCRIPTORS), "needs " + DESCRIPTORS);
    Path base = folder.resolve("base.vhd");
    Images.create(base, CreateOptions.of("vhd", 4 * MIB)).close();
    Path image = folder.resolve("image.vhd");
    Images.create(
            image,
            CreateOptions.overlay("vhd", base.toString(), "vhd")
                .withReferences(ReferencePolicy.any()))
        .close();
    Path mirror = folder.resolve("mirror.qcow2");
    Images.create(mirror, CreateOptions.of("qcow2", 4 * MIB)).close();
    Path log = folder.resolve("log");
    ByteBuffer header = ByteBuffer.allocate(48 + 8).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(log, header.putInt(32, 1).putLong(40, 4 * MIB).array());
    request =
        OpenRequest.of("vhd:" + image, OpenFlag.LOCAL_CACHE)
            .withSecondary("qcow2:" + mirror)
            .withLog(Optional.of(log));
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> all = Files.list(DESCRIPTORS)) {
      return all.count();
    }
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream().filter(Thread::isAlive).count();
  }

  private void comeAndGo(TapDisks disks, int round) throws IOException {
    ControlledDisk disk = disks.attach(MINOR);
    if (round % 10 == 0) {
      use(disk, round);
    } else {
      disk.open(OpenRequest.of("ram:64K"));
    }
    disk.close(round % 3 == 0);
    disk.detach();
  }

  /** Openings that fail at their last step, and all that a disk can have. */
  private void use(ControlledDisk disk, int round) throws IOException {
    assertThrows(
        DiskException.class,
        () -> disk.open(request.withLog(Optional.of(folder.resolve("missing")))));
    disk.open(request);
    try (SharedFileFrontend guest =
        SharedFileFrontend.connect(
            folder.resolve("ring" + MINOR),
            folder.resolve("file" + round),
            new SharedFileLayout(RingAbi.ofHost(), 1, 8))) {
      assertEquals(0, GuestSocketTest.write(guest, "hello"));
    }
    disk.pause();
    assertThrows(DiskException.class, () -> disk.resume(ResumeRequest.of("vhd:/missing")));
    if (round % 20 == 0) {
      disk.resume(ResumeRequest.SAME);
    }
    String statistics = disk.statistics();
    assertTrue(statistics.contains("\"nbd_mirror_failed\": 0"), statistics);
  }

  @Test
  void aThousandDisksLeaveNoDescriptorAndNoThread() throws IOException {
    TapDisks disks =
        new TapDisks(
            DiskPolicy.DEFAULT.withWriteLogs(folder.resolve("writes")), Optional.of(folder));
    comeAndGo(disks, 0);
    long descriptors = descriptors();
    long threads = threads();

    for (int round = 1; round <= 1000; round++) {
      comeAndGo(disks, round);
    }

    assertTrue(descriptors() <= descriptors + SLACK, descriptors + " before, " + descriptors());
    assertTrue(threads() <= threads + SLACK, threads + " before, " + threads());
  }

  @Test
  void disksThatACommandAttachedLeaveNoProcess() throws Exception {
    Requirements.need("flock");
    ControlFolder control = new ControlFolder(folder.toRealPath().resolve("c"));
    ControlServer server =
        ControlServer.open(
            control,
            1,
            Generation.TODAY,
            ControlServer.TIMEOUT,
            new TapDisks(DiskPolicy.DEFAULT),
            GuestRings.none());
    ExecutorService pool = Executors.newSingleThreadExecutor();
    try {
      Future<?> running =
          pool.submit(
              () -> {
                server.run(LastClosings.PATIENCE);
                return 0;
              });
      ControlClient client = new ControlClient(control, Generation.TODAY);
      Minors minors = new Minors(control);
      minors.allocate();
      client.attach(1, 0);
      long processes = ProcessHandle.current().children().count();
      long descriptors = descriptors();

      for (int round = 0; round < 50; round++) {
        int minor = Minors.number(minors.allocate());
        client.attach(1, minor);
        client.open(1, minor, request);
        client.close(1, minor, false, Optional.empty());
        client.detach(1, minor);
        minors.free(minor);
      }

      assertEquals(processes, ProcessHandle.current().children().count());
      assertTrue(descriptors() <= descriptors + SLACK, descriptors + " before, " + descriptors());
      client.detach(1, 0);
      running.get(60, TimeUnit.SECONDS);
    } finally {
      server.close();
      pool.shutdownNow();
    }
  }
}
