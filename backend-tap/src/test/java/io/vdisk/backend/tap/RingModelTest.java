package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
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
    Path folder = Files.createTempDirectory("ring");
    try {
      run(folder, format, abi, isSerial, seed);
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
