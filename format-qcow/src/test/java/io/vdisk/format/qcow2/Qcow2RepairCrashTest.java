package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.Limits;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing.Scope;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.format.qcow2.DamagedImage.Kind;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.CrashFile;
import io.vdisk.testkit.CrashImage;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The power fails in the middle of a repair: run again it mends what it would have mended, and the
 * guest reads what it read. Cuts come at every host operation. {@code vdisk.repair.images} sets how
 * many damaged images there are of each kind (default 4), {@code vdisk.seed} where to begin.
 */
class Qcow2RepairCrashTest {
  private static final long SEED = Long.getLong("vdisk.seed", 1);
  private static final int IMAGES = Integer.getInteger("vdisk.repair.images", 4);

  /** Random cuts at each instant, beside those that lose all and nothing. */
  private static final int CUTS = 4;

  /** Of so many cuts one is looked at with QEMU's eyes. */
  private static final int LOOK = 25;

  @TempDir Path folder;

  private final Set<Long> seen = new HashSet<>();
  private int cuts;

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
  }

  @ParameterizedTest
  @EnumSource(names = {"SMALL", "NARROW", "SNAPSHOTS", "EXTENDED_WITH_ALL"})
  void repairCanBeCutAnywhereAndRunAgain(Kind kind) throws IOException {
    byte[] good = DamagedImage.make(folder, kind);
    int images = 0;
    for (long seed = SEED; images < IMAGES; seed++) {
      byte[] damaged = good.clone();
      SplittableRandom random = new SplittableRandom(seed);
      DamagedImage.damage(damaged, random);
      if (seed % 2 == 0) { // the blocks are lost: all is made anew
        ByteBuffer bytes = ByteBuffer.wrap(damaged);
        bytes.putLong((int) bytes.getLong(48), 0x200);
      }
      if (isMendable(damaged)) {
        images++;
        cut(damaged, new Random(seed));
      }
    }
    System.out.printf(
        "%s: %s, seeds from %d on, %d images, %d cuts, %d distinct%n",
        getClass().getSimpleName(), kind, SEED, images, cuts, seen.size());
  }

  private static boolean isMendable(byte[] damaged) {
    try {
      MemoryFile file = new MemoryFile("image", damaged.clone());
      CheckReport report = repair(file);
      return report.errors() > 0 && report.errors() == report.errorsFixed();
    } catch (IOException e) {
      return false;
    }
  }

  private static CheckReport repair(HostFile file) throws IOException {
    Qcow2Header header = Qcow2Header.read(file, Limits.DEFAULT);
    return new Repair(file, header, Scope.ALL, Progress.NONE).repair();
  }

  private void cut(byte[] damaged, Random random) throws IOException {
    byte[] content = content(damaged);
    CrashDisk disk = new CrashDisk();
    CrashFile file = disk.file("image");
    file.write(ByteBuffer.wrap(damaged), 0);
    file.flush();
    disk.setHook(
        event -> {
          look(disk.cutLosingAll(), content);
          look(disk.cutLosingNothing(), content);
          for (int i = 0; i < CUTS; i++) {
            look(disk.cut(random), content);
          }
        });

    CheckReport report = repair(file);

    assertEquals(report.errors(), report.errorsFixed());
  }

  private void look(CrashImage image, byte[] content) throws IOException {
    cuts++;
    if (!seen.add(image.hash())) {
      return;
    }
    try (HostFile file = image.files().get(0)) {
      CheckReport report = repair(file);
      assertEquals(report.errors(), report.errorsFixed(), report.findings()::toString);
      assertEquals(report.leaks(), report.leaksFixed(), report.findings()::toString);
      assertEquals(0, report.unchecked());
      if (seen.size() % LOOK == 0) {
        byte[] bytes = new byte[(int) file.size()];
        file.readFully(ByteBuffer.wrap(bytes), 0);
        Qemu.check(Files.write(folder.resolve("cut.qcow2"), bytes));
        assertArrayEquals(content, content(bytes));
      }
    }
  }

  private byte[] content(byte[] image) throws IOException {
    Path copy = Files.write(folder.resolve("copy.qcow2"), image);
    Path raw = folder.resolve("content");
    Files.deleteIfExists(raw);
    Qemu.Result result = Qemu.run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", copy, raw);
    assertTrue(result.exit() == 0 || !Files.exists(raw) || Files.size(raw) > 0);
    return result.exit() == 0 ? Files.readAllBytes(raw) : new byte[0];
  }
}
