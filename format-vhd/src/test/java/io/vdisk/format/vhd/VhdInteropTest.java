package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageCopy;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Resizing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** QEMU and libvhdi read what we write, and we read what QEMU writes. */
@Timeout(600)
class VhdInteropTest {
  private static final int MIB = 1 << 20;
  private static final int OPERATIONS = 10_000;

  @TempDir Path folder;
  private byte[] model = new byte[0];

  private Tool tool() {
    return new Tool(folder);
  }

  private CreateOptions creating(long size) {
    return CreateOptions.of("vhd", size)
        .withFormats(Samples.FORMATS)
        .withReferences(ReferencePolicy.sameDirectory());
  }

  private OpenOptions opening() {
    return OpenOptions.readOnly()
        .withFormats(Samples.FORMATS)
        .withReferences(ReferencePolicy.sameDirectory());
  }

  private void writeFileSystem(String name) throws Exception {
    Path tree = Files.createDirectories(folder.resolve("tree/below"));
    for (int i = 0; i < 40; i++) {
      Files.write(tree.resolve("file" + i), Disks.random(i * 9001, i));
    }
    tool().run("mke2fs", "-q", "-t", "ext4", "-d", "tree", name, "24M");
    model = Files.readAllBytes(folder.resolve(name));
  }

  private void assertReads(String image) throws IOException {
    try (BlockDevice device = Images.open(folder.resolve(image), opening())) {
      byte[] found = Samples.content(device);
      assertArrayEquals(model, Arrays.copyOf(found, model.length), image);
      assertArrayEquals(
          new byte[found.length - model.length],
          Arrays.copyOfRange(found, model.length, found.length));
      assertEquals(
          List.of(), device.feature(Checking.class).orElseThrow().check(Progress.NONE).findings());
    }
  }

  private void assertQemuReads(String image) throws Exception {
    Files.write(folder.resolve("model.raw"), model);
    tool().run("qemu-img", "compare", "-f", "raw", "-F", "vpc", "model.raw", image);
  }

  private void assertLibvhdiReads(String... chain) throws Exception {
    assertEquals(Samples.sha256(model) + " " + model.length, tool().libvhdi(chain));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "subformat=dynamic",
        "subformat=dynamic,force_size=on",
        "subformat=fixed",
        "subformat=fixed,force_size=on"
      })
  void aFileSystemThatQemuConvertedReadsTheSame(String options) throws Exception {
    writeFileSystem("fs.raw");
    tool().run("qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", options, "fs.raw", "fs.vhd");
    assertReads("fs.vhd");
  }

  @ParameterizedTest
  @CsvSource({
    "subformat, dynamic",
    "subformat, fixed",
    "xen, on",
    "force_size, off",
    "azure, on",
    "block_size, 524288"
  })
  void aFileSystemThatWeConvertedIsReadByQemuAndLibvhdi(String option, String value)
      throws Exception {
    writeFileSystem("fs.raw");
    CreateOptions options = creating(model.length).withOption(option, value);
    if (option.equals("azure")) {
      options = options.withOption("subformat", "fixed");
    }
    try (BlockDevice source = Images.open(folder.resolve("fs.raw"), opening().withFormat("raw"));
        BlockDevice target = Images.create(folder.resolve("fs.vhd"), options)) {
      ImageCopy.Result unused = ImageCopy.of(source, target).toLargerTarget().run();
      model = Arrays.copyOf(model, (int) target.size());
    }
    assertReads("fs.vhd");
    assertQemuReads("fs.vhd");
    assertLibvhdiReads("fs.vhd");
    String info = tool().run("qemu-img", "info", "fs.vhd");
    assertTrue(
        info.contains("(" + model.length + " bytes)")
            || value.equals("fixed")
            || option.equals("azure"),
        info);
    tool().run("vhdiinfo", "fs.vhd");
    tool().run("qemu-img", "convert", "-f", "vpc", "-O", "raw", "fs.vhd", "back.raw");
    assertArrayEquals(model, Files.readAllBytes(folder.resolve("back.raw")));
  }

  @Test
  void anImageThatQemuMadeIsWrittenByBothInTurn() throws Exception {
    tool().run("qemu-img", "create", "-q", "-f", "vpc", "-o", "force_size=on", "image.vhd", "29M");
    inTurn(29 * MIB, OPERATIONS);
  }

  @ParameterizedTest
  @CsvSource({"subformat, dynamic, 10000", "subformat, fixed, 2000", "block_size, 524288, 2000"})
  void anImageThatWeMadeIsWrittenByBothInTurn(String option, String value, int operations)
      throws Exception {
    Images.create(folder.resolve("image.vhd"), creating(29L * MIB).withOption(option, value))
        .close();
    inTurn(29 * MIB, operations);
  }

  private void inTurn(int size, int operations) throws Exception {
    model = new byte[size];
    long seed = Long.getLong("vdisk.seed", new Random().nextLong());
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    writeRandomly(random, operations);
    assertReads("image.vhd");
    assertQemuReads("image.vhd");
    qemuWritesRandomly(random, operations);
    assertReads("image.vhd");
    writeRandomly(random, operations);
    assertQemuReads("image.vhd");
    assertLibvhdiReads("image.vhd");
  }

  private void writeRandomly(Random random, int operations) throws IOException {
    try (BlockDevice device = Images.open(folder.resolve("image.vhd"), opening().asReadWrite())) {
      for (int i = 0; i < operations; i++) {
        int length = 1 + random.nextInt(random.nextInt(50) == 0 ? 3 * MIB : 6000);
        int offset = random.nextInt(model.length - length);
        switch (random.nextInt(12)) {
          case 0 -> {
            device.writeZeroes(offset, length);
            Arrays.fill(model, offset, offset + length, (byte) 0);
          }
          case 1 -> {
            device.discard(offset, length);
            ByteBuffer left = ByteBuffer.wrap(model, offset, length);
            device.read(left, offset);
          }
          case 2 -> {
            if (random.nextInt(20) == 0) {
              device.flush();
            }
          }
          default -> {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            Disks.write(device, bytes, offset);
            System.arraycopy(bytes, 0, model, offset, length);
          }
        }
      }
    }
  }

  private void qemuWritesRandomly(Random random, int operations) throws Exception {
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < operations; i++) {
      int sectors = 1 + random.nextInt(40);
      int sector = random.nextInt(model.length / 512 - sectors);
      boolean isZero = random.nextInt(10) == 0;
      int pattern = isZero ? 0 : random.nextInt(256);
      commands.add(
          (isZero ? "write -z " : "write -P " + pattern + " ")
              + sector * 512
              + " "
              + sectors * 512);
      Arrays.fill(model, sector * 512, (sector + sectors) * 512, (byte) pattern);
    }
    tool().qemuIo("image.vhd", commands);
  }

  @ParameterizedTest
  @ValueSource(strings = {"on", "off"})
  void libvhdiReadsAChainOfThree(String xen) throws Exception {
    model = new byte[13 * MIB];
    String[] chain = {"a.vhd", "b.vhd", "c.vhd"};
    Random random = new Random(3);
    for (int i = 0; i < chain.length; i++) {
      CreateOptions options =
          i == 0
              ? creating(model.length)
              : CreateOptions.overlay("vhd", chain[i - 1], "vhd")
                  .withFormats(Samples.FORMATS)
                  .withReferences(ReferencePolicy.sameDirectory());
      try (BlockDevice device =
          Images.create(folder.resolve(chain[i]), options.withOption("xen", xen))) {
        for (int j = 0; j < 200; j++) {
          // Eight sectors at least: libvhdi (20210425) reads the bits of a byte from the lowest.
          byte[] bytes = Disks.random(4096 * (1 + random.nextInt(5)), j);
          int offset = random.nextInt((model.length - bytes.length) / 4096) * 4096;
          Disks.write(device, bytes, offset);
          System.arraycopy(bytes, 0, model, offset, bytes.length);
        }
      }
      assertReads(chain[i]);
      assertLibvhdiReads(Arrays.copyOf(chain, i + 1));
    }
    String info = tool().run("vhdiinfo", "c.vhd");
    assertTrue(info.contains("b.vhd"), info);
  }

  @Test
  void aParentThatWasChangedSinceIsReported() throws Exception {
    Images.create(folder.resolve("a.vhd"), creating(MIB)).close();
    Images.create(
            folder.resolve("b.vhd"),
            CreateOptions.overlay("vhd", "a.vhd", "vhd")
                .withFormats(Samples.FORMATS)
                .withReferences(ReferencePolicy.sameDirectory()))
        .close();
    model = new byte[MIB];
    assertReads("b.vhd");
    Files.setLastModifiedTime(
        folder.resolve("a.vhd"), FileTime.from(Instant.parse("2031-01-01T00:00:00Z")));
    try (BlockDevice device = Images.open(folder.resolve("b.vhd"), opening())) {
      CheckReport report = device.feature(Checking.class).orElseThrow().check(Progress.NONE);
      assertEquals(1, report.warnings());
      assertEquals(0, report.errors());
      assertTrue(report.findings().get(0).message().contains("parent was changed"));
    }
  }

  @Test
  void libvhdiReadsTheSamplesAsWeDo() throws Exception {
    for (String name : List.of("dyn-base.vhd", "diff1.vhd", "fixed.vhd")) {
      Files.write(folder.resolve(name), Samples.bytes(name));
    }
    for (String[] chain :
        new String[][] {{"dyn-base.vhd"}, {"dyn-base.vhd", "diff1.vhd"}, {"fixed.vhd"}}) {
      try (BlockDevice device = Images.open(folder.resolve(chain[chain.length - 1]), opening())) {
        model = Samples.content(device);
      }
      assertLibvhdiReads(chain);
    }
  }

  @Test
  void qemuReadsADiskThatWeResized() throws Exception {
    model = Arrays.copyOf(Disks.random(5 * MIB, 1), 600 * MIB);
    try (BlockDevice device =
        Images.create(
            folder.resolve("image.vhd"), creating(5L * MIB).withOption("block_size", "524288"))) {
      Disks.write(device, Arrays.copyOf(model, 5 * MIB), 0);
      device.feature(Resizing.class).orElseThrow().resize(model.length);
    }
    assertReads("image.vhd");
    assertQemuReads("image.vhd"); // libvhdi takes the original size for the current one
  }

  @Test
  void sizesWithoutForceSizeAreThoseOfQemu() throws Exception {
    for (long size :
        new long[] {1, 512, 1_000_000, 104_857_600, 4L << 30, 100L << 30, 200L << 30}) {
      tool().run("qemu-img", "create", "-q", "-f", "vpc", "q.vhd", Long.toString(size));
      Files.deleteIfExists(folder.resolve("o.vhd"));
      Images.create(folder.resolve("o.vhd"), creating(size).withOption("force_size", "off"))
          .close();
      try (BlockDevice theirs = Images.open(folder.resolve("q.vhd"), opening());
          BlockDevice ours = Images.open(folder.resolve("o.vhd"), opening())) {
        assertEquals(theirs.size(), ours.size());
        assertEquals(
            Optional.of("qemu 5.3"), Optional.ofNullable(ours.info().details().get("creator")));
      }
    }
  }
}
