package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.RamDisks;
import io.vdisk.backend.tap.disk.ResumeRequest;
import io.vdisk.backend.tap.disk.ServedRing;
import io.vdisk.backend.tap.disk.SharedFileDisk;
import io.vdisk.backend.tap.disk.TapDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.zip.CRC32;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.GenerationMode;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/**
 * A guest in another process asks at random through real ring memory; what it reads is what its own
 * model of each sector allows, and the image holds in the end what the guest read.
 */
@SuppressWarnings("try") // open is all that the listener must be
class RingModelTest {
  private static final long SIZE = 1 << 20;
  private static final int REQUESTS = Integer.getInteger("vdisk.ring.requests", 1500);

  /** None, bytes, requests: all let the guest end within a second. */
  private static final List<RateLimit.Rates> RATES =
      List.of(
          RateLimit.Rates.UNLIMITED,
          new RateLimit.Rates(50 << 20, 1 << 20, 0, 0),
          new RateLimit.Rates(0, 0, 5000, 20));

  @Provide
  Arbitrary<String> formats() {
    return Arbitraries.of("raw", "qcow", "qcow2", "vhd", "vhdx", "vmdk");
  }

  @Property(tries = 6, generation = GenerationMode.RANDOMIZED, shrinking = ShrinkingMode.OFF)
  void contentIsThatOfTheModel(
      @ForAll("formats") String format,
      @ForAll RingAbi abi,
      @ForAll boolean isSerial,
      @ForAll long seed)
      throws Exception {
    inFolder(folder -> run(folder, format, abi, isSerial, seed));
  }

  @Property(tries = 3, generation = GenerationMode.RANDOMIZED, shrinking = ShrinkingMode.OFF)
  void contentIsThatOfTheModelThoughTheDiskIsPausedAndLimitedMeanwhile(
      @ForAll("formats") String format, @ForAll RingAbi abi, @ForAll long seed) throws Exception {
    inFolder(folder -> disturb(folder, format, abi, seed));
  }

  private interface Body {
    void run(Path folder) throws Exception;
  }

  private static void inFolder(Body body) throws Exception {
    Path folder = Files.createTempDirectory("ring");
    try {
      body.run(folder);
    } finally {
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static void run(Path folder, String format, RingAbi abi, boolean isSerial, long seed)
      throws Exception {
    Path image = folder.resolve("image");
    Images.create(image, CreateOptions.of(format, SIZE)).close();
    CompletableFuture<TapServer> server = new CompletableFuture<>();
    ServeOptions options =
        new ServeOptions(false, isSerial, new RateLimit(), new RequestStatistics());
    String read;
    try (BlockDevice disk = Images.open(image, OpenOptions.readWrite().withFormat(format));
        SharedFileListener listener =
            SharedFileListener.open(folder.resolve("s"), new OneGuest(disk, options, server))) {
      JavaProcess guest =
          JavaProcess.start(
              RandomGuest.class,
              folder.resolve("s").toString(),
              folder.resolve("ring").toString(),
              abi.name(),
              Integer.toString(REQUESTS),
              Long.toString(seed));
      read = guest.output();
      server.join().close();
    }
    assertHolds(image, format, read);
  }

  /** While the guest asks, its images are closed and opened again, and its limit changes. */
  private static void disturb(Path folder, String format, RingAbi abi, long seed) throws Exception {
    Path image = folder.resolve("image");
    Images.create(image, CreateOptions.of(format, SIZE)).close();
    TapDisk disk = new TapDisk(0, DiskPolicy.DEFAULT, new RamDisks(SIZE));
    disk.open(OpenRequest.of((format.equals("raw") ? "aio" : format) + ":" + image));
    CompletableFuture<ServedRing> ring = new CompletableFuture<>();
    String read;
    try (SharedFileListener listener =
        SharedFileListener.open(folder.resolve("s"), new SharedFileDisk(disk, ring::complete))) {
      JavaProcess guest =
          JavaProcess.start(
              RandomGuest.class,
              folder.resolve("s").toString(),
              folder.resolve("ring").toString(),
              abi.name(),
              Integer.toString(REQUESTS),
              Long.toString(seed));
      Random random = new Random(seed);
      while (guest.process().isAlive()) {
        if (random.nextBoolean()) {
          disk.pause();
          disk.resume(ResumeRequest.SAME);
        } else {
          disk.limit().change(RATES.get(random.nextInt(RATES.size())));
        }
        long next = random.nextInt(40) + (ring.isDone() ? ring.join().counters().answered() : 0);
        while (guest.process().isAlive()
            && (!ring.isDone() || ring.join().counters().answered() < next)) {
          Thread.yield();
        }
      }
      read = guest.output();
    }
    disk.close(false);
    assertHolds(image, format, read);
  }

  private static void assertHolds(Path image, String format, String read) throws IOException {
    try (BlockDevice disk = Images.open(image, OpenOptions.readOnly().withFormat(format))) {
      assertEquals(Long.toHexString(checksum(disk)), read);
    }
  }

  private static long checksum(BlockDevice disk) throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) SIZE);
    disk.read(all, 0);
    CRC32 sum = new CRC32();
    sum.update(all.flip());
    return sum.getValue();
  }
}
