package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.testkit.Programs;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** libvhdi, which has no line in common with us, reads what we write. */
@Timeout(600)
class VhdxLibvhdiTest {
  private static final int SIZE = (9 << 20) + 4096 * 3;
  private static final long SEED = Long.getLong("vdisk.seed", 20261127);

  @TempDir Path folder;
  private Programs programs;

  @BeforeEach
  void need() throws Exception {
    programs = new Programs(folder);
    Programs.needLibvhdi();
  }

  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "fixed"})
  void diskReadsTheSame(String subformat) throws Exception {
    byte[] model = new byte[SIZE];
    try (BlockDevice device =
        Disks.create(
            folder.resolve("disk.vhdx"), SIZE, "subformat=" + subformat, "block_size=1048576")) {
      Disks.change(device, model, 500, new Random(SEED));
    }
    assertEquals(Programs.digest(model), programs.libvhdi("disk.vhdx"));
    Requirements.need("vhdiinfo");
    String info = programs.run("vhdiinfo", "", "disk.vhdx");
    assertTrue(info.contains("Virtual Hard Disk (VHDX)") || info.contains("VHDX"), info);
  }

  /**
   * Sectors of blocks that are partially present, blocks that are whole, or the parent's. No block
   * that is zero: of such a one libvhdi 20210425 shows what the parent has, against [MS-VHDX]
   * 2.5.1.1.
   */
  @ParameterizedTest
  @CsvSource({"512, 1048576", "512, 2097152", "4096, 1048576"})
  void chainOfThreeReadsTheSame(String sector, String block) throws Exception {
    byte[] model = new byte[SIZE];
    Random random = new Random(SEED);
    try (BlockDevice base =
        Disks.create(
            folder.resolve("base.vhdx"),
            SIZE,
            "block_size=1048576",
            "logical_sector_size=" + sector)) {
      Disks.change(base, model, 300, random);
    }
    String[] chain = {"base.vhdx", "middle.vhdx", "top.vhdx"};
    for (int i = 1; i < chain.length; i++) {
      try (BlockDevice child =
          Disks.createChild(folder.resolve(chain[i]), chain[i - 1], "block_size=" + block)) {
        assertArrayEquals(model, Disks.read(child));
        aligned(child, model, 40, Integer.parseInt(sector), random);
      }
      try (BlockDevice child = Disks.open(folder.resolve(chain[i]), true)) {
        assertArrayEquals(model, Disks.read(child));
        Disks.write(child, model, 30, random);
      }
      assertArrayEquals(model, Disks.read(folder.resolve(chain[i])));
      assertEquals(List.of(), Disks.findings(folder.resolve(chain[i])));
    }
    assertEquals(Programs.digest(model), programs.libvhdi(chain));
  }

  /** Whole sectors, few of a block, so that blocks stay partially present. */
  private static void aligned(
      BlockDevice device, byte[] model, int writes, int sector, Random random) throws IOException {
    for (int i = 0; i < writes; i++) {
      byte[] bytes = new byte[sector * (1 + random.nextInt(20))];
      random.nextBytes(bytes);
      int offset = random.nextInt((model.length - bytes.length) / sector) * sector;
      device.write(java.nio.ByteBuffer.wrap(bytes), offset);
      System.arraycopy(bytes, 0, model, offset, bytes.length);
    }
  }

  /** The name is not shown: libvhdi looks for names of Windows' alone. */
  @Test
  void parentIsKnownByItsContent() throws Exception {
    String guid;
    try (BlockDevice base = Disks.create(folder.resolve("base.vhdx"), SIZE)) {
      guid = base.info().details().get("data-write-guid").toString();
    }
    Disks.createChild(folder.resolve("child.vhdx"), "base.vhdx").close();
    Requirements.need("vhdiinfo");
    String info = programs.run("vhdiinfo", "", "child.vhdx");
    assertTrue(info.contains("Differential"), info);
    assertTrue(info.contains(guid), info);
  }
}
