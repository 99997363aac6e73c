package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.ImageException;
import io.vdisk.Limits;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing.Scope;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Images damaged by seed are repaired by {@code qemu-img check -r} and by ours, from the same
 * start: wherever QEMU's is clean afterwards, ours is, and the guest reads what it read before. The
 * system property {@code vdisk.repair.images} sets how many there are of each kind (default 4),
 * {@code vdisk.seed} where to begin.
 */
class Qcow2RepairAgreementTest {
  private static final long SEED = Long.getLong("vdisk.seed", 1);
  private static final int IMAGES = Integer.getInteger("vdisk.repair.images", 4);

  private static final long LARGE = 100 << 20;
  private static final long FAR = 1L << 36;

  @TempDir Path folder;

  private final List<String> faults = new ArrayList<>();
  private final Map<String, Integer> outcomes = new TreeMap<>();

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
  }

  @ParameterizedTest
  @EnumSource
  void whatQemuMendsOursMends(DamagedImage.Kind kind) throws IOException {
    byte[] good = DamagedImage.make(folder, kind);
    for (Scope scope : Scope.values()) {
      for (int i = 0; i < IMAGES; i++) { // x
        long seed = SEED + i;
        byte[] damaged = good.clone();
        String where = DamagedImage.damage(damaged, new SplittableRandom(seed));
        if (hasBlockFarOutside(damaged)) {
          outcomes.merge("left out", 1, Integer::sum);
          continue;
        }
        compare(damaged, scope, scope + " seed " + seed + " " + where + ": ");
      }
    }
    System.out.printf(
        "%s: %s, seeds from %d on, %d images, %s; %d faults%n",
        getClass().getSimpleName(), kind, SEED, IMAGES, outcomes, faults.size());
    assertEquals(List.of(), faults);
  }

  /** QEMU makes the file so long that the block is in it, up to terabytes, which takes a minute. */
  private static boolean hasBlockFarOutside(byte[] image) {
    ByteBuffer bytes = ByteBuffer.wrap(image);
    int table = (int) bytes.getLong(48);
    for (int at = table; at < table + (1 << bytes.getInt(20)); at += Long.BYTES) {
      if (bytes.getLong(at) > FAR) {
        return true;
      }
    }
    return false;
  }

  private void compare(byte[] damaged, Scope scope, String name) throws IOException {
    Path image = folder.resolve("image.qcow2");
    Files.write(image, damaged);
    CheckCounts before = CheckCounts.ofQemu(image);
    byte[] content = content(image);
    String word = scope == Scope.ALL ? "all" : "leaks";
    Qemu.run("qemu-img", "check", "-f", "qcow2", "-r", word, image);
    CheckCounts theirs = CheckCounts.ofQemu(image);
    boolean isTheirsChanged = content.length > 0 && !Arrays.equals(content, content(image));
    boolean isTheirsWithoutSnapshots = snapshots(image) < ByteBuffer.wrap(damaged).getInt(60);

    CheckReport report = repair(image, damaged, scope);

    CheckCounts ours = CheckCounts.ofQemu(image);
    if (theirs.exit() == 0 && ours.exit() != 0) {
      // It makes such images clean by taking from their data: ours leaves the error.
      String how =
          isTheirsWithoutSnapshots
              ? "QEMU loses snapshots"
              : isTheirsChanged ? "QEMU changes data" : "";
      if (how.isEmpty()) {
        faults.add(name + before + ", theirs clean, ours " + ours + "\n");
      }
      outcomes.merge(how, 1, Integer::sum);
    } else {
      outcomes.merge(before.exit() + ">" + theirs.exit() + "/" + ours.exit(), 1, Integer::sum);
    }
    if (content.length > 0 && !Arrays.equals(content, content(image))) {
      faults.add(name + "changes the guest's data, QEMU does: " + isTheirsChanged + "\n");
    }
    long left = report.errors() - report.errorsFixed();
    long leaks = report.leaks() - report.leaksFixed();
    if (ours.exit() != 1 && (left != ours.errors() || leaks != ours.leaks())) {
      faults.add(name + "reports " + left + " and " + leaks + " left, there are " + ours + "\n");
    }
  }

  private static int snapshots(Path image) throws IOException {
    try (HostFile file = HostFile.of(image)) {
      ByteBuffer count = ByteBuffer.allocate(4);
      file.readFully(count, 60);
      return count.getInt(0);
    }
  }

  /** What the guest reads; empty if it cannot. */
  private byte[] content(Path image) throws IOException {
    if (Files.size(image) > LARGE) {
      return new byte[0]; // QEMU makes a file as long as a wrong entry says
    }
    Path copy = folder.resolve("copy.qcow2");
    Files.write(copy, Files.readAllBytes(image));
    Path raw = folder.resolve("content");
    Files.deleteIfExists(raw);
    Qemu.Result result = Qemu.run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", copy, raw);
    return result.exit() == 0 ? Files.readAllBytes(raw) : new byte[0];
  }

  private static CheckReport repair(Path image, byte[] damaged, Scope scope) throws IOException {
    MemoryFile file = new MemoryFile("image", damaged.clone());
    CheckReport report = CheckReport.builder().build();
    try {
      Qcow2Header header = Qcow2Header.read(file, Limits.DEFAULT);
      report = new Repair(file, header, scope, Progress.NONE).repair();
    } catch (ImageException e) {
      // Refused: nothing may have changed.
      assertArrayEquals(damaged, bytes(file));
    }
    Files.write(image, bytes(file));
    return report;
  }

  private static byte[] bytes(HostFile file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) file.size());
    file.readFully(bytes, 0);
    return bytes.array();
  }
}
