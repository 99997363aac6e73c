package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * On images damaged by seed, {@code qemu-img check} and ours count the same. The system property
 * {@code vdisk.check.images} sets how many there are of each kind (default 40), {@code vdisk.seed}
 * where to begin.
 */
class Qcow2CheckAgreementTest {
  private static final long SEED = Long.getLong("vdisk.seed", 4711);
  private static final int IMAGES = Integer.getInteger("vdisk.check.images", 40);

  @TempDir Path folder;

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
  }

  @ParameterizedTest
  @EnumSource
  void countsAgreeOnDamagedImages(DamagedImage.Kind kind) throws IOException {
    List<String> differences = new ArrayList<>();
    byte[] content = DamagedImage.make(folder, kind);
    Path image = folder.resolve("damaged.qcow2");
    Files.write(image, content);
    assertEquals(CheckCounts.ofQemu(image), CheckCounts.ofOurs(image), "without faults");
    for (int i = 0; i < IMAGES; i++) {
      long seed = SEED + i;
      byte[] damaged = content.clone();
      String where = DamagedImage.damage(damaged, new SplittableRandom(seed));
      Files.write(image, damaged);
      CheckCounts theirs = CheckCounts.ofQemu(image);
      CheckCounts ours = CheckCounts.ofOurs(image);
      if (!theirs.equals(ours)) {
        differences.add(
            "seed " + seed + " " + where + ": qemu " + theirs + ", ours " + ours + "\n");
      }
    }
    System.out.printf(
        "%s: %s, seeds from %d on, %d damaged images, %d differ%n",
        getClass().getSimpleName(), kind, SEED, IMAGES, differences.size());
    assertEquals(List.of(), differences);
  }

  /** QEMU goes on to the next L1 entry where it cannot look up the table's own count. */
  @Test
  void countsAgreeWhereTheCountOfAnL2TableCannotBeRead() throws IOException {
    Path image = folder.resolve("damaged.qcow2");
    ByteBuffer bytes = ByteBuffer.wrap(DamagedImage.make(folder, DamagedImage.Kind.NARROW));
    int l1 = (int) bytes.getLong(40);
    int l2 = (int) (bytes.getLong(l1) & L2Entry.OFFSET);
    int refcountTable = (int) bytes.getLong(48);
    bytes.putLong(refcountTable, bytes.getLong(refcountTable) + 512); // cannot be
    bytes.putLong(l2 + 8, bytes.getLong(l2 + 8) | 1L << 41); // COPIED, and nobody counts it
    Files.write(image, bytes.array());

    CheckCounts theirs = CheckCounts.ofQemu(image);

    assertEquals(1, theirs.exit());
    assertEquals(theirs, CheckCounts.ofOurs(image));
  }
}
