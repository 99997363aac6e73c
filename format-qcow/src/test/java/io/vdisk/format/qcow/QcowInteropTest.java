package io.vdisk.format.qcow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.Checking;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.PlainFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** QEMU reads what we write, and we read what QEMU writes. */
@Timeout(300)
class QcowInteropTest {
  @TempDir Path folder;
  private Qemu qemu;
  private byte[] model;

  @BeforeEach
  void writeBase() throws IOException {
    qemu = new Qemu(folder);
    model = new byte[5 << 20];
    Samples.load("base.raw").readFully(ByteBuffer.wrap(model), 0);
    Files.write(folder.resolve("base.raw"), model);
  }

  @Test
  void imageThatQemuConvertedReadsTheSame() throws Exception {
    qemu.img("convert", "-O", "qcow", "base.raw", "plain.qcow");
    assertReads("plain.qcow");
    // 7.2 writes the whole image, and then ends with 1 without a word.
    qemu.imgOrExit(1, "convert", "-c", "-O", "qcow", "base.raw", "compressed.qcow");
    assertQemuReads("compressed.qcow");
  }

  @Test
  void imageThatQemuMadeIsWrittenAndReadByBoth() throws Exception {
    qemu.img("create", "-f", "qcow", "image.qcow", "5M");
    model = new byte[5 << 20];
    assertReads("image.qcow");
    writeRandomly("image.qcow", 300);
    assertQemuReads("image.qcow");
    qemuWritesRandomly("image.qcow", 60);
    assertReads("image.qcow");
    writeRandomly("image.qcow", 300);
    assertQemuReads("image.qcow");
  }

  @Test
  void childThatQemuMadeIsWrittenAndReadByBoth() throws Exception {
    qemu.img("create", "-f", "qcow", "-b", "base.raw", "-F", "raw", "child.qcow");
    assertReads("child.qcow");
    qemuWritesRandomly("child.qcow", 60);
    assertReads("child.qcow");
    writeRandomly("child.qcow", 300);
    assertQemuReads("child.qcow");
  }

  @ParameterizedTest
  @CsvSource({"512, false", "4096, false", "65536, false", "512, true", "4096, true"})
  void qemuReadsWhatTwoThousandWritesMade(String clusterSize, boolean backed) throws Exception {
    CreateOptions options = options().withOption("cluster_size", clusterSize);
    if (backed) {
      options = options.withBacking("base.raw", null);
    } else {
      model = new byte[5 << 20];
    }
    Images.create(folder.resolve("image.qcow"), options).close();
    writeRandomly("image.qcow", 2000);
    assertQemuReads("image.qcow");
    qemuWritesRandomly("image.qcow", 60);
    assertReads("image.qcow");
  }

  @ParameterizedTest
  @ValueSource(strings = {"512", "4096", "65536"})
  void qemuReadsClustersThatWeCompressed(String clusterSize) throws Exception {
    CreateOptions options = options().withOption("cluster_size", clusterSize);
    try (BlockDevice device = Images.create(folder.resolve("image.qcow"), options)) {
      UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
      for (int offset = 0; offset < model.length; offset += units.unit()) {
        ByteBuffer unit = ByteBuffer.wrap(model, offset, units.unit());
        units.append(offset, unit.duplicate(), units.encode(unit.duplicate()));
      }
    }
    assertQemuReads("image.qcow");
    writeRandomly("image.qcow", 100);
    assertQemuReads("image.qcow");
    qemuWritesRandomly("image.qcow", 60);
    assertReads("image.qcow");
  }

  @Test
  void qemuReadsAndWritesImagesWithXensHeader() throws Exception {
    model = new byte[5 << 20];
    Images.create(folder.resolve("image.qcow"), options().withOption("xen", "on")).close();
    assertQemuReads("image.qcow");
    qemuWritesRandomly("image.qcow", 60);
    assertReads("image.qcow");
    writeRandomly("image.qcow", 300);
    assertQemuReads("image.qcow");
  }

  @Test
  void qemuSeesOurSizesAndNames() throws Exception {
    CreateOptions options = options().withBacking("base.raw", null).withVirtualSize(1_234_567);
    Images.create(folder.resolve("image.qcow"), options).close();
    String info = qemu.img("info", "image.qcow");
    assertTrue(info.contains("(1234944 bytes)"), info);
    assertTrue(info.contains("backing file: base.raw"), info);
    assertTrue(info.contains("cluster_size: 512"), info);
  }

  private CreateOptions options() {
    return CreateOptions.of("qcow", 5 << 20)
        .withFormats(List.of(new QcowFormat(), new PlainFormat()))
        .withReferences(policy());
  }

  private ReferencePolicy policy() {
    return reference -> HostFile.of(folder.resolve(reference.name()));
  }

  private void assertReads(String image) throws IOException {
    try (BlockDevice device =
        Images.open(folder.resolve(image), Samples.reading().withReferences(policy()))) {
      assertArrayEquals(model, Samples.content(device), image);
      assertEquals(
          List.of(),
          device.feature(Checking.class).orElseThrow().check((done, all) -> true).findings());
    }
  }

  private void assertQemuReads(String image) throws Exception {
    assertReads(image);
    Files.write(folder.resolve("model.raw"), model);
    qemu.img("compare", "-f", "raw", "-F", "qcow", "model.raw", image);
  }

  private void writeRandomly(String image, int writes) throws IOException {
    long seed = new Random().nextLong();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    try (BlockDevice device =
        Images.open(folder.resolve(image), Samples.writing().withReferences(policy()))) {
      for (int i = 0; i < writes; i++) {
        int length = 1 + random.nextInt(random.nextInt(50) == 0 ? 200_000 : 6000);
        int offset = random.nextInt(model.length - length);
        if (random.nextInt(8) == 0) {
          device.writeZeroes(offset, length);
          Arrays.fill(model, offset, offset + length, (byte) 0);
        } else {
          byte[] bytes = new byte[length];
          random.nextBytes(bytes);
          device.write(ByteBuffer.wrap(bytes), offset);
          System.arraycopy(bytes, 0, model, offset, length);
        }
        if (random.nextInt(200) == 0) {
          device.flush();
        }
      }
    }
  }

  private void qemuWritesRandomly(String image, int writes) throws Exception {
    Random random = new Random(7);
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < writes; i++) {
      int sectors = 1 + random.nextInt(40);
      int sector = random.nextInt(model.length / 512 - sectors);
      int pattern = random.nextInt(256);
      commands.add("write -P " + pattern + " " + sector * 512 + " " + sectors * 512);
      Arrays.fill(model, sector * 512, (sector + sectors) * 512, (byte) pattern);
    }
    qemu.io("qcow", image, commands);
  }
}
