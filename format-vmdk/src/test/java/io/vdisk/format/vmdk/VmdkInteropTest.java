package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.ImageCopy;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.BackingLink;
import io.vdisk.testkit.PlainFormat;
import io.vdisk.testkit.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What QEMU writes we read, and the reverse; after ten thousand changes by either, too. */
@Timeout(600)
class VmdkInteropTest {
  private static final int SIZE = (20 << 20) + 512 * 3;
  private static final int OPERATIONS = 10_000;
  private static final long SEED = Long.getLong("vdisk.seed", 20261126);

  @TempDir Path folder;
  private Programs programs;

  @BeforeEach
  void prepare() {
    programs = new Programs(folder);
  }

  private Path path(String name) {
    return folder.resolve(name);
  }

  private byte[] writeExt4() throws IOException, InterruptedException {
    Path content = Files.createDirectory(path("content"));
    Random random = new Random(SEED);
    for (int i = 0; i < 30; i++) {
      byte[] bytes = new byte[random.nextInt(400_000)];
      random.nextBytes(bytes);
      Files.write(content.resolve("file" + i), bytes);
    }
    programs.run(
        "mke2fs", "", "-q", "-t", "ext4", "-d", "content", path("disk.raw").toString(), "48M");
    return Files.readAllBytes(path("disk.raw"));
  }

  @ParameterizedTest
  @CsvSource({
    "monolithicSparse, off",
    "monolithicSparse, on",
    "monolithicFlat, off",
    "twoGbMaxExtentSparse, off",
    "twoGbMaxExtentFlat, off",
    "streamOptimized, off",
  })
  void ext4ThatQemuConvertedReadsTheSame(String subformat, String zeroed) throws Exception {
    byte[] disk = writeExt4();
    String options = "subformat=" + subformat + (zeroed.equals("on") ? ",zeroed_grain=on" : "");
    programs.img("convert", "-O", "vmdk", "-o", options, "disk.raw", "disk.vmdk");
    assertArrayEquals(disk, Disks.read(path("disk.vmdk")));
    assertEquals(List.of(), Disks.findings(path("disk.vmdk")));
  }

  @ParameterizedTest
  @CsvSource({
    "monolithicSparse, 65536, off",
    "monolithicSparse, 4096, on",
    "monolithicFlat, 65536, off",
    "twoGbMaxExtentSparse, 32768, off",
    "twoGbMaxExtentFlat, 65536, off",
    "vmfs, 65536, off",
    "vmfsSparse, 512, off",
  })
  void ext4ThatWeWroteReadsTheSameInQemuAndLibvmdk(String subformat, int grain, String zeroed)
      throws Exception {
    byte[] disk = writeExt4();
    try (BlockDevice device =
            Disks.create(
                path("disk.vmdk"),
                disk.length,
                "subformat=" + subformat,
                "grain_size=" + grain,
                "zeroed_grain=" + zeroed);
        BlockDevice source =
            Images.open(
                path("disk.raw"),
                OpenOptions.readOnly().withFormats(List.of(new PlainFormat())).withFormat("raw"))) {
      ImageCopy.of(source, device).run();
    }
    assertEquals(List.of(), Disks.findings(path("disk.vmdk")));
    programs.img("compare", "-f", "raw", "-F", "vmdk", "disk.raw", "disk.vmdk");
    if (!subformat.startsWith("vmfs") && !subformat.endsWith("Flat")) {
      assertTrue(programs.img("check", "-f", "vmdk", "disk.vmdk").contains("No errors"));
    }
    programs.img("convert", "-f", "vmdk", "-O", "raw", "disk.vmdk", "back.raw");
    programs.run("e2fsck", "", "-n", "-f", "back.raw");
    if (zeroed.equals("off")) {
      assertEquals(Programs.digest(disk), programs.libvmdk("disk.vmdk"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "monolithicSparse, 65536, off",
    "monolithicSparse, 4096, on",
    "monolithicFlat, 65536, off",
    "twoGbMaxExtentSparse, 65536, on",
    "vmfsSparse, 4096, off",
  })
  void qemuReadsWhatTenThousandChangesMade(String subformat, int grain, String zeroed)
      throws Exception {
    byte[] model = new byte[SIZE];
    Random random = new Random(SEED);
    try (BlockDevice device =
        Disks.create(
            path("disk.vmdk"),
            SIZE,
            "subformat=" + subformat,
            "grain_size=" + grain,
            "zeroed_grain=" + zeroed)) {
      Disks.change(device, model, OPERATIONS, random);
    }
    assertArrayEquals(model, Disks.read(path("disk.vmdk")));
    assertEquals(List.of(), errors(path("disk.vmdk")));
    Files.write(path("model.raw"), model);
    programs.img("compare", "-f", "raw", "-F", "vmdk", "model.raw", "disk.vmdk");
    if (zeroed.equals("off")) {
      assertEquals(Programs.digest(model), programs.libvmdk("disk.vmdk"));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {4096, 8192, 16_384, 32_768, 65_536})
  void grainsOfEachSizeAreReadByQemuAndLibvmdk(int grain) throws Exception {
    byte[] model = new byte[SIZE];
    try (BlockDevice device = Disks.create(path("disk.vmdk"), SIZE, "grain_size=" + grain)) {
      Disks.change(device, model, 200, new Random(SEED));
    }
    Files.write(path("model.raw"), model);
    programs.img("compare", "-f", "raw", "-F", "vmdk", "model.raw", "disk.vmdk");
    if (grain > 4096) { // the specification wants more, and libvmdk sees to that
      assertEquals(Programs.digest(model), programs.libvmdk("disk.vmdk"));
    }
  }

  /**
   * QEMU looks at the flag, as we do, and not at the version. Without the flag it takes an entry of
   * 1 for a place, and shows the descriptor as a grain; so does libvmdk 20200926 with the flag too,
   * which is why disks are made without unless that is asked for.
   */
  @Test
  void entryOfOneIsZeroesWhereTheFlagSaysSoWhateverTheVersion() throws Exception {
    programs.img("create", "-f", "vmdk", "-o", "zeroed_grain=on", "disk.vmdk", "1M");
    programs.io("vmdk", "disk.vmdk", List.of("write -P 7 0 128k", "write -z 64k 64k"));
    byte[] image = Files.readAllBytes(path("disk.vmdk"));
    for (int version = 1; version <= 2; version++) {
      image[SparseHeader.VERSION.offset()] = (byte) version;
      Files.write(path("disk.vmdk"), image);
      programs.img("convert", "-f", "vmdk", "-O", "raw", "disk.vmdk", "back.raw");
      byte[] disk = Disks.read(path("disk.vmdk"));
      assertArrayEquals(Files.readAllBytes(path("back.raw")), disk);
      assertEquals(7, disk[0]);
      assertEquals(0, disk[65_536]);
    }
    int flags = SparseHeader.FLAGS.offset();
    image[flags] = (byte) (image[flags] & ~SparseHeader.ZEROED_GRAINS);
    Files.write(path("disk.vmdk"), image);
    assertThrows(CorruptImageException.class, () -> Disks.read(path("disk.vmdk")));
  }

  /** QEMU refuses the word, and reads such a disk under another; libvmdk reads neither. */
  @Test
  void extentsOfSeveralKindsInOneDiskReadAsInQemu() throws Exception {
    byte[] flat = new byte[1 << 20];
    new Random(SEED).nextBytes(flat);
    Files.write(path("flat.vmdk"), flat);
    byte[] model = new byte[1 << 20];
    try (BlockDevice device =
        Disks.create(path("part.vmdk"), model.length, "subformat=twoGbMaxExtentSparse")) {
      Disks.change(device, model, 50, new Random(SEED));
    }
    String text =
        "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"%s\"\n\n"
            + "# Extent description\nRW 1024 FLAT \"flat.vmdk\" 8\nRW 2048 SPARSE \"part-s001.vmdk\""
            + "\nRW 512 FLAT \"flat.vmdk\" 1100\n\n# The Disk Data Base\n#DDB\n";
    Files.writeString(path("theirs.vmdk"), text.formatted("twoGbMaxExtentSparse"));
    programs.img("convert", "-f", "vmdk", "-O", "raw", "theirs.vmdk", "back.raw");
    Files.writeString(path("ours.vmdk"), text.formatted("custom"));
    assertArrayEquals(Files.readAllBytes(path("back.raw")), Disks.read(path("ours.vmdk")));
  }

  /** What a change of the descriptor leaves, also where it is longer than a sector. */
  @ParameterizedTest
  @ValueSource(ints = {0, 150, 330, 400})
  void rebasedDiskIsReadByQemuAndLibvmdk(int comment) throws Exception {
    byte[] model = new byte[SIZE];
    Random random = new Random(SEED);
    String other = "another-base-with-a-name-that-is-longer.vmdk";
    for (String base : List.of("base.vmdk", other)) {
      model = new byte[SIZE];
      try (BlockDevice device = Disks.create(path(base), SIZE)) {
        Disks.change(device, model, 20, new Random(1));
      }
    }
    Disks.createChild(path("child.vmdk"), "base.vmdk").close();
    Path image = path("child.vmdk");
    byte[] bytes = Files.readAllBytes(image);
    String text = new String(bytes, 512, 19 * 512, StandardCharsets.ISO_8859_1);
    String longer = text.replaceFirst("version=1\n", "version=1\n#" + "x".repeat(comment) + "\n");
    System.arraycopy(longer.getBytes(StandardCharsets.ISO_8859_1), 0, bytes, 512, 19 * 512);
    Files.write(image, bytes);
    try (BlockDevice child = Disks.open(image, true)) {
      child
          .feature(BackingLink.class)
          .orElseThrow()
          .change(Optional.of(other), Optional.of("vmdk"));
      Disks.change(child, model, 20, random);
    }
    assertArrayEquals(model, Disks.read(image));
    Files.write(path("model.raw"), model);
    programs.img("compare", "-f", "raw", "-F", "vmdk", "model.raw", "child.vmdk");
    if (comment < 400) { // then libvmdk does not look where the entries had to go
      assertEquals(Programs.digest(model), programs.libvmdk(other, "child.vmdk"));
    }
  }

  private static List<String> errors(Path image) throws IOException {
    return Disks.findings(image).stream().filter(line -> !line.startsWith("LEAK")).toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "monolithicSparse",
        "monolithicSparse,zeroed_grain=on",
        "monolithicFlat",
        "twoGbMaxExtentSparse",
        "twoGbMaxExtentFlat"
      })
  void changesOfQemuReadTheSameAndAreGoneOnWith(String options) throws Exception {
    byte[] model = new byte[SIZE];
    Random random = new Random(SEED);
    programs.img(
        "create", "-f", "vmdk", "-o", "subformat=" + options, "disk.vmdk", Integer.toString(SIZE));
    int operations = options.startsWith("monolithicSparse") ? OPERATIONS : OPERATIONS / 5;
    programs.change("vmdk", "disk.vmdk", model, operations, random);
    assertArrayEquals(model, Disks.read(path("disk.vmdk")));
    assertEquals(List.of(), errors(path("disk.vmdk")));
    for (int turn = 0; turn < 3; turn++) {
      try (BlockDevice device = Disks.open(path("disk.vmdk"), true)) {
        Disks.change(device, model, 300, random);
      }
      Files.write(path("model.raw"), model);
      programs.img("compare", "-f", "raw", "-F", "vmdk", "model.raw", "disk.vmdk");
      programs.change("vmdk", "disk.vmdk", model, 300, random);
      assertArrayEquals(model, Disks.read(path("disk.vmdk")));
      assertEquals(List.of(), errors(path("disk.vmdk")));
    }
  }

  @Test
  void chainOfDeltaDisksReadsTheSameInQemuAndLibvmdk() throws Exception {
    byte[] model = new byte[SIZE];
    Random random = new Random(SEED);
    try (BlockDevice base = Disks.create(path("base.vmdk"), SIZE)) {
      Disks.change(base, model, 200, random);
    }
    try (BlockDevice middle =
        Disks.createChild(path("middle.vmdk"), "base.vmdk", "subformat=twoGbMaxExtentSparse")) {
      Disks.change(middle, model, 200, random);
    }
    programs.img("create", "-f", "vmdk", "-b", "middle.vmdk", "-F", "vmdk", "top.vmdk");
    programs.change("vmdk", "top.vmdk", model, 200, random);
    try (BlockDevice top = Disks.open(path("top.vmdk"), true)) {
      Disks.change(top, model, 200, random);
    }
    assertArrayEquals(model, Disks.read(path("top.vmdk")));
    Files.write(path("model.raw"), model);
    programs.img("compare", "-f", "raw", "-F", "vmdk", "model.raw", "top.vmdk");
    assertEquals(Programs.digest(model), programs.libvmdk("base.vmdk", "middle.vmdk", "top.vmdk"));
  }

  @Test
  void splitDiskOfFiveGigabytesIsMadeAndWrittenByEither() throws Exception {
    long size = 5L << 30;
    Disks.create(path("ours.vmdk"), size, "subformat=twoGbMaxExtentSparse").close();
    programs.img(
        "create", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", "theirs.vmdk", "5G");
    for (String image : List.of("ours.vmdk", "theirs.vmdk")) {
      long border = image.equals("ours.vmdk") ? VmdkCreator.MAX_EXTENT : 2L << 30;
      byte[] bytes = new byte[200_000];
      new Random(SEED).nextBytes(bytes);
      try (BlockDevice device = Disks.open(path(image), true)) {
        assertEquals(size, device.size());
        device.write(java.nio.ByteBuffer.wrap(bytes), border - 100_000);
        device.writeZeroes(border - 1000, 2000);
        Arrays.fill(bytes, 99_000, 101_000, (byte) 0);
      }
      programs.io("vmdk", image, List.of("write -P 7 " + (size - 4096) + " 4096"));
      try (BlockDevice device = Disks.open(path(image), false)) {
        java.nio.ByteBuffer read = java.nio.ByteBuffer.allocate(bytes.length);
        device.read(read, border - 100_000);
        assertArrayEquals(bytes, read.array());
        device.read(read.clear().limit(4096), size - 4096);
        assertEquals(7, read.get(4095));
      }
      assertEquals(List.of(), errors(path(image)));
      assertTrue(programs.img("check", "-f", "vmdk", image).contains("No errors"));
    }
  }
}
