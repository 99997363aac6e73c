package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.testkit.PlainFormat;
import io.vdisk.testkit.Programs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What QEMU writes we read, and the reverse; after ten thousand changes by either, too. */
@Timeout(600)
class VhdxInteropTest {
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
  @CsvSource({"dynamic, 1M, on", "dynamic, 0, on", "dynamic, 32M, off", "fixed, 1M, on"})
  void ext4ThatQemuConvertedReadsTheSame(String subformat, String block, String zero)
      throws Exception {
    byte[] disk = writeExt4();
    programs.img(
        "convert",
        "-O",
        "vhdx",
        "-o",
        "subformat=" + subformat + ",block_size=" + block + ",block_state_zero=" + zero,
        "disk.raw",
        "disk.vhdx");
    assertArrayEquals(disk, Disks.read(path("disk.vhdx")));
    assertEquals(List.of(), Disks.findings(path("disk.vhdx")));
  }

  @ParameterizedTest
  @CsvSource({
    "dynamic, 1048576, 1048576",
    "dynamic, 0, 1048576",
    "dynamic, 268435456, 4194304",
    "fixed, 2097152, 1048576"
  })
  void ext4ThatWeWroteReadsTheSameInQemu(String subformat, String block, String log)
      throws Exception {
    byte[] disk = writeExt4();
    try (BlockDevice device =
            Disks.create(
                path("disk.vhdx"),
                disk.length,
                "subformat=" + subformat,
                "block_size=" + block,
                "log_size=" + log);
        BlockDevice source =
            Images.open(
                path("disk.raw"),
                OpenOptions.readOnly().withFormats(List.of(new PlainFormat())).withFormat("raw"))) {
      io.vdisk.ImageCopy.of(source, device).run();
    }
    programs.img("compare", "-f", "raw", "-F", "vhdx", "disk.raw", "disk.vhdx");
    assertTrue(programs.img("check", "-f", "vhdx", "disk.vhdx").contains("No errors"));
    programs.img("convert", "-f", "vhdx", "-O", "raw", "disk.vhdx", "back.raw");
    programs.run("e2fsck", "", "-n", "-f", "back.raw");
    assertEquals(List.of(), Disks.findings(path("disk.vhdx")));
  }

  @ParameterizedTest
  @CsvSource({"dynamic, 1048576, 512", "dynamic, 4194304, 4096", "fixed, 1048576, 512"})
  void qemuReadsWhatTenThousandChangesMade(String subformat, String block, String sector)
      throws Exception {
    byte[] model = new byte[SIZE & -4096];
    Random random = new Random(SEED);
    try (BlockDevice device =
        Disks.create(
            path("disk.vhdx"),
            model.length,
            "subformat=" + subformat,
            "block_size=" + block,
            "logical_sector_size=" + sector)) {
      Disks.change(device, model, OPERATIONS, random);
    }
    assertArrayEquals(model, Disks.read(path("disk.vhdx")));
    assertEquals(List.of(), Disks.findings(path("disk.vhdx")));
    if (sector.equals("512")) { // QEMU refuses others
      Files.write(path("model.raw"), model);
      programs.img("compare", "-f", "raw", "-F", "vhdx", "model.raw", "disk.vhdx");
      assertTrue(programs.img("check", "-f", "vhdx", "disk.vhdx").contains("No errors"));
    }
    assertEquals(Programs.digest(model), programs.libvhdi("disk.vhdx"));
  }

  @ParameterizedTest
  @CsvSource({"dynamic, 1M", "fixed, 2M"})
  void tenThousandChangesOfQemuReadTheSameAndAreGoneOnWith(String subformat, String block)
      throws Exception {
    byte[] model = new byte[SIZE];
    Random random = new Random(SEED);
    programs.img(
        "create",
        "-f",
        "vhdx",
        "-o",
        "subformat=" + subformat + ",block_size=" + block,
        "disk.vhdx",
        Integer.toString(SIZE));
    programs.change("vhdx", "disk.vhdx", model, OPERATIONS, random);
    assertArrayEquals(model, Disks.read(path("disk.vhdx")));
    assertEquals(List.of(), Disks.findings(path("disk.vhdx")));
    for (int turn = 0; turn < 3; turn++) {
      try (BlockDevice device = Disks.open(path("disk.vhdx"), true)) {
        Disks.change(device, model, 300, random);
      }
      Files.write(path("model.raw"), model);
      programs.img("compare", "-f", "raw", "-F", "vhdx", "model.raw", "disk.vhdx");
      programs.change("vhdx", "disk.vhdx", model, 300, random);
      assertArrayEquals(model, Disks.read(path("disk.vhdx")));
      assertEquals(List.of(), Disks.findings(path("disk.vhdx")));
    }
  }

  /** QEMU has written its log, and fails to write the table: so an entry is left to be replayed. */
  @Test
  void logThatQemuLeftIsReplayed() throws Exception {
    byte[] model = new byte[SIZE];
    Random random = new Random(SEED);
    programs.img(
        "create", "-f", "vhdx", "-o", "block_size=1M", "disk.vhdx", Integer.toString(SIZE));
    int table = 2 << 20; // where QEMU puts it behind a log of 1 MiB
    String failing =
        "json:{'driver':'vhdx','file':{'driver':'blkdebug','image':{'driver':'file','filename':"
            + "'disk.vhdx'},'inject-error':[{'event':'none','iotype':'write','sector':"
            + table / 512
            + "}]}}";
    for (int turn = 0; turn < 6; turn++) {
      int from = turn * (3 << 20) + 512 * random.nextInt(100);
      String written =
          programs.runFailing(
              1,
              "qemu-io",
              "",
              "-c",
              "write -P " + (turn + 1) + " " + from + " 51200",
              failing.replace('\'', '"'));
      assertTrue(written.contains("write failed"), written);
      Arrays.fill(model, from, from + 51200, (byte) (turn + 1));
      try (io.vdisk.file.HostFile file = io.vdisk.file.LocalFile.open(path("disk.vhdx"), false)) {
        assertTrue(!HeaderPair.read(file).current().logGuid().isNil(), "QEMU has left its log");
      }
      Files.copy(path("disk.vhdx"), path("theirs.vhdx"));
      assertArrayEquals(model, Disks.read(path("disk.vhdx")));
      String mended = programs.img("check", "-r", "all", "-f", "vhdx", "theirs.vhdx");
      assertTrue(mended.contains("repaired"), mended);
      assertArrayEquals(model, Disks.read(path("theirs.vhdx")));
      Files.delete(path("theirs.vhdx"));
      try (BlockDevice device = Disks.open(path("disk.vhdx"), true)) {
        assertArrayEquals(model, Disks.read(device));
        device.write(ByteBuffer.wrap(new byte[] {9}), turn * (3L << 20) + (1 << 20));
        model[turn * (3 << 20) + (1 << 20)] = 9;
      }
      assertEquals(List.of(), Disks.findings(path("disk.vhdx")));
    }
    Files.write(path("model.raw"), model);
    programs.img("compare", "-f", "raw", "-F", "vhdx", "model.raw", "disk.vhdx");
  }

  @Test
  void imageOf64TiBIsMadeAndWrittenByEither() throws Exception {
    long size = 64L << 40;
    byte[] text = "here".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    Disks.create(path("ours.vhdx"), size).close();
    programs.img("create", "-f", "vhdx", "-o", "block_size=256M", "theirs.vhdx", "64T");
    for (String image : List.of("ours.vhdx", "theirs.vhdx")) {
      programs.io("vhdx", image, List.of("write -P 7 " + (size - 4096) + " 4096"));
      try (BlockDevice device = Disks.open(path(image), true)) {
        assertEquals(size, device.size());
        ByteBuffer end = ByteBuffer.allocate(4096);
        device.read(end, size - 4096);
        assertEquals(7, end.get(4095));
        device.write(ByteBuffer.wrap(text), 40L << 40);
      }
      assertTrue(programs.img("check", "-f", "vhdx", image).contains("No errors"));
      String read = programs.io("vhdx", image, List.of("read -v " + (40L << 40) + " 512"));
      assertTrue(read.contains("here"), read);
    }
  }
}
