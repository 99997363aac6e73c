package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.UnitWriter;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What QEMU writes we read, and the reverse; after a history of changes, too. */
class Qcow2InteropTest {
  private static final int SIZE = 6 << 20;
  private static final long SEED = 20261124;

  @TempDir Path folder;

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
  }

  /** A third of it zero, a third that compresses, a third that does not; not a whole cluster. */
  private static byte[] content() {
    byte[] bytes = new byte[SIZE + 1536];
    Random random = new Random(SEED);
    for (int at = 0; at < bytes.length; ) {
      int length = Math.min(bytes.length - at, 512 * (1 + random.nextInt(300)));
      switch (random.nextInt(3)) {
        case 0 -> {}
        case 1 -> java.util.Arrays.fill(bytes, at, at + length, (byte) random.nextInt());
        default -> {
          byte[] noise = new byte[length];
          random.nextBytes(noise);
          System.arraycopy(noise, 0, bytes, at, length);
        }
      }
      at += length;
    }
    return bytes;
  }

  private Path raw(byte[] content) throws IOException {
    return Files.write(folder.resolve("content.raw"), content);
  }

  private static byte[] read(BlockDevice device) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(device.size()));
    device.read(all, 0);
    return all.array();
  }

  private static BlockDevice open(Path image, boolean writable) throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return Images.open(image, options.withReferences(ReferencePolicy.sameDirectory()));
  }

  private static void assertClean(Path image) throws IOException {
    Qemu.check(image);
    try (BlockDevice device = open(image, false)) {
      CheckReport report = device.feature(Checking.class).orElseThrow().check((d, t) -> true);
      assertTrue(report.isClean(), () -> report.findings().toString());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=512",
        "cluster_size=4k",
        "cluster_size=64k",
        "cluster_size=2M",
        "compat=0.10",
        "refcount_bits=1",
        "refcount_bits=2",
        "refcount_bits=64,cluster_size=512",
        "refcount_bits=8,lazy_refcounts=on",
        "preallocation=metadata",
        "preallocation=full"
      })
  void whatQemuConvertedReadsTheSame(String options) throws IOException {
    byte[] content = content();
    Path image = folder.resolve("image.qcow2");
    Qemu.succeed(
        "qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-o", options, raw(content), image);
    try (BlockDevice device = open(image, false)) {
      assertArrayEquals(content, read(device));
    }
    assertClean(image);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cluster_size=512", "cluster_size=64k", "cluster_size=2M"})
  void whatQemuCompressedReadsTheSame(String options) throws IOException {
    byte[] content = content();
    Path image = folder.resolve("image.qcow2");
    Qemu.succeed(
        "qemu-img",
        "convert",
        "-c",
        "-f",
        "raw",
        "-O",
        "qcow2",
        "-o",
        options,
        raw(content),
        image);
    try (BlockDevice device = open(image, false)) {
      assertArrayEquals(content, read(device));
    }
    assertClean(image);
  }

  @ParameterizedTest
  @CsvSource({
    "512,16",
    "512,64",
    "512,1",
    "4096,16",
    "65536,16",
    "65536,1",
    "65536,2",
    "65536,4",
    "65536,8",
    "65536,32",
    "65536,64",
    "2097152,16"
  })
  void whatWeWriteQemuReadsTheSame(int clusterSize, int refcountBits) throws IOException {
    byte[] content = content();
    Path image = folder.resolve("image.qcow2");
    CreateOptions options =
        CreateOptions.of("qcow2", content.length)
            .withOption("cluster_size", Integer.toString(clusterSize))
            .withOption("refcount_bits", Integer.toString(refcountBits));
    try (BlockDevice device = Images.create(image, options)) {
      device.write(ByteBuffer.wrap(content), 0);
    }
    Qemu.succeed("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw(content), image);
    assertClean(image);
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 65536, 2 << 20})
  void whatWeCompressQemuReadsTheSame(int clusterSize) throws IOException {
    byte[] content = content();
    Path image = folder.resolve("image.qcow2");
    CreateOptions options =
        CreateOptions.of("qcow2", content.length)
            .withOption("cluster_size", Integer.toString(clusterSize));
    try (BlockDevice device = Images.create(image, options)) {
      UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
      for (int at = 0; at < content.length; at += clusterSize) {
        byte[] unit = java.util.Arrays.copyOfRange(content, at, at + clusterSize);
        ByteBuffer encoded = units.encode(ByteBuffer.wrap(unit));
        units.append(at, ByteBuffer.wrap(unit), encoded);
      }
    }
    Qemu.succeed("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw(content), image);
    assertClean(image);
    try (BlockDevice device = open(image, false)) {
      assertArrayEquals(content, read(device));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=512",
        "cluster_size=64k",
        "cluster_size=2M",
        "compat=0.10",
        "refcount_bits=1",
        "refcount_bits=64,cluster_size=4k"
      })
  void qemuFindsTheSameAfterAHistoryOfChanges(String options) throws IOException {
    byte[] content = content();
    Path image = folder.resolve("image.qcow2");
    Qemu.succeed(
        "qemu-img",
        "convert",
        "-c",
        "-f",
        "raw",
        "-O",
        "qcow2",
        "-o",
        options,
        raw(content),
        image);
    change(image, content);
    Qemu.succeed("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw(content), image);
    assertClean(image);
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 65536})
  void qemuFindsTheSameInAnOverlayAfterAHistoryOfChanges(int clusterSize) throws IOException {
    byte[] content = content();
    Path base = folder.resolve("base.qcow2");
    Path image = folder.resolve("image.qcow2");
    Qemu.succeed("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw(content), base);
    CreateOptions options =
        CreateOptions.overlay("qcow2", "base.qcow2", "qcow2")
            .withReferences(ReferencePolicy.sameDirectory())
            .withOption("cluster_size", Integer.toString(clusterSize));
    Images.create(image, options).close();
    change(image, content);
    Qemu.succeed("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw(content), image);
    assertClean(image);
  }

  /** Writes, zeroes, discards, flushes, reopens: 2,000 changes. */
  private static void change(Path image, byte[] content) throws IOException {
    Random random = new Random(SEED);
    BlockDevice device = open(image, true);
    try {
      for (int i = 0; i < 2000; i++) {
        int at = random.nextInt(content.length);
        int most = random.nextInt(20) == 0 ? 500_000 : 10_000;
        int length = Math.min(random.nextInt(most), content.length - at);
        switch (random.nextInt(10)) {
          case 0 -> device.flush();
          case 1, 2 -> {
            device.writeZeroes(at, length);
            java.util.Arrays.fill(content, at, at + length, (byte) 0);
          }
          case 3, 4 -> {
            device.discard(at, length);
            ByteBuffer now = ByteBuffer.wrap(content, at, length);
            byte[] before = java.util.Arrays.copyOfRange(content, at, at + length);
            device.read(now, at);
            for (int j = 0; j < length; j++) {
              assertTrue(content[at + j] == before[j] || content[at + j] == 0);
            }
          }
          default -> {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            System.arraycopy(bytes, 0, content, at, length);
            device.write(ByteBuffer.wrap(bytes), at);
          }
        }
        if (i % 500 == 499) {
          assertArrayEquals(content, read(device));
          device.close();
          device = open(image, true);
        }
      }
      assertArrayEquals(content, read(device));
    } finally {
      device.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "metadata", "falloc", "full"})
  void preallocatedImagesAreCleanAndZero(String mode) throws IOException {
    Path image = folder.resolve("image.qcow2");
    int size = 40 << 20;
    CreateOptions options =
        CreateOptions.of("qcow2", size)
            .withOption("preallocation", mode)
            .withOption("cluster_size", "4k");
    Images.create(image, options).close();
    assertClean(image);
    Path zero = folder.resolve("zero.raw");
    Qemu.succeed("qemu-img", "create", "-q", "-f", "raw", zero, size);
    Qemu.succeed("qemu-img", "compare", "-f", "raw", "-F", "qcow2", zero, image);
    if (!mode.equals("off")) {
      assertTrue(Files.size(image) >= size);
    }
  }

  @Test
  void infoIsWhatQemuSays() throws IOException {
    Path image = folder.resolve("image.qcow2");
    Images.create(image, CreateOptions.of("qcow2", 1 << 30)).close();
    String info = Qemu.succeed("qemu-img", "info", "--output=json", image);
    try (BlockDevice device = open(image, false)) {
      device
          .info()
          .details()
          .forEach(
              (key, value) -> {
                String shown = value instanceof String ? "\"" + value + "\"" : value.toString();
                assertTrue(info.contains("\"" + key + "\": " + shown), key + ": " + info);
              });
      assertEquals(65_536, device.info().unit());
      assertEquals(1 << 30, device.info().virtualSize());
    }
  }
}
