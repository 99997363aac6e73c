package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A disk of 64 TiB needs no more memory than any other: a JVM with a heap of 60 MiB writes it. */
@Timeout(300)
class VhdxMemoryTest {
  private static final long SIZE = 64L << 40;
  private static final int WRITES = 3000;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"1048576, off, false", "0, on, false", "1048576, off, true"})
  void randomWritesTakeASmallHeap(String block, String zero, boolean child) throws Exception {
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx60m",
                "-ea",
                "-cp",
                classPath(),
                VhdxMemoryTest.class.getName(),
                folder.toString(),
                block,
                zero,
                Boolean.toString(child))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    assertEquals(0, process.waitFor(), () -> read(log));
    assertTrue(read(log).contains(WRITES + " writes"), read(log));
  }

  private static String classPath() {
    return System.getProperty("jdk.module.path", "")
        + File.pathSeparator
        + System.getProperty("java.class.path", "")
        + File.pathSeparator
        + String.join(File.pathSeparator, places());
  }

  /** Where the classes come from that the other JVM needs, however this one found them. */
  private static List<String> places() {
    return List.of(
        place(VhdxMemoryTest.class),
        place(VhdxFormat.class),
        place(BlockDevice.class),
        place(com.google.common.collect.Range.class),
        place(io.vdisk.testkit.Requirements.class),
        place(org.junit.jupiter.api.Assertions.class));
  }

  private static String place(Class<?> type) {
    return Path.of(
            java.net.URI.create(
                type.getProtectionDomain().getCodeSource().getLocation().toString()))
        .toString();
  }

  private static String read(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** In the other JVM. */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    Path image = folder.resolve("disk.vhdx");
    String block = "block_size=" + arguments[1];
    if (Boolean.parseBoolean(arguments[3])) {
      Disks.create(folder.resolve("base.vhdx"), SIZE).close();
      Disks.createChild(image, "base.vhdx", block).close();
    } else {
      Disks.create(image, SIZE, block, "block_state_zero=" + arguments[2]).close();
    }
    Random random = new Random(1);
    try (BlockDevice device = Disks.open(image, true)) {
      ByteBuffer bytes = ByteBuffer.allocate(4096);
      for (int i = 0; i < WRITES; i++) {
        long offset = (long) (random.nextDouble() * (SIZE / 4096)) * 4096;
        bytes.clear().putLong(0, offset);
        device.write(bytes, offset);
      }
    }
    random = new Random(1);
    try (BlockDevice device = Disks.open(image, true)) {
      ByteBuffer bytes = ByteBuffer.allocate(4096);
      for (int i = 0; i < WRITES; i++) {
        long offset = (long) (random.nextDouble() * (SIZE / 4096)) * 4096;
        device.read(bytes.clear(), offset);
        if (bytes.getLong(0) != offset) {
          throw new AssertionError(offset + " reads as " + bytes.getLong(0));
        }
      }
      device.write(bytes.clear(), 5);
    }
    System.out.println(WRITES + " writes");
  }
}
