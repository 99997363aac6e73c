package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * On images damaged by seed, {@code qemu-img check} and ours count the same. The system property
 * {@code vdisk.check.images} sets how many there are (default 200), {@code vdisk.seed} where to
 * begin.
 */
class Qcow2CheckAgreementTest {
  private static final long SEED = Long.getLong("vdisk.seed", 4711);
  private static final int IMAGES = Integer.getInteger("vdisk.check.images", 200);

  /** What the images are made of, whatever the seed. */
  private static final long CONTENT_SEED = 4711;

  @TempDir Path folder;

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
  }

  /** Counts of a check; exit is the exit code, 1 if the image does not open. */
  private record Counts(int exit, long errors, long leaks) {}

  @Test
  void countsAgreeOnDamagedImages() throws IOException {
    List<String> differences = new ArrayList<>();
    int images = 0;
    for (String options :
        List.of("cluster_size=512", "cluster_size=4k,refcount_bits=8", "cluster_size=64k")) {
      Path good = folder.resolve("good.qcow2");
      make(good, options);
      byte[] content = Files.readAllBytes(good);
      for (int i = 0; i < (IMAGES + 2) / 3; i++) {
        long seed = SEED + i;
        byte[] damaged = content.clone();
        String where = damage(damaged, new SplittableRandom(seed));
        Path image = Files.write(folder.resolve("damaged.qcow2"), damaged);
        images++;
        Counts theirs = theirs(image);
        Counts ours = ours(image);
        if (!theirs.equals(ours)) {
          differences.add(
              options + " seed " + seed + " " + where + ": qemu " + theirs + ", ours " + ours);
        }
      }
    }
    System.out.printf(
        "%s: seeds from %d on, %d damaged images, %d differ%n",
        getClass().getSimpleName(), SEED, images, differences.size());
    assertEquals(List.of(), differences);
  }

  /** QEMU goes on to the next L1 entry where it cannot look up the table's own count. */
  @Test
  void countsAgreeWhereTheCountOfAnL2TableCannotBeRead() throws IOException {
    Path image = folder.resolve("damaged.qcow2");
    make(image, "cluster_size=4k,refcount_bits=8");
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(image));
    int l1 = (int) bytes.getLong(40);
    int l2 = (int) (bytes.getLong(l1) & L2Entry.OFFSET);
    int refcountTable = (int) bytes.getLong(48);
    bytes.putLong(refcountTable, bytes.getLong(refcountTable) + 512); // cannot be
    bytes.putLong(l2 + 8, bytes.getLong(l2 + 8) | 1L << 41); // COPIED, and nobody counts it
    Files.write(image, bytes.array());

    Counts theirs = theirs(image);

    assertEquals(1, theirs.exit());
    assertEquals(theirs, ours(image));
  }

  private void make(Path image, String options) throws IOException {
    byte[] content = new byte[300_000];
    new Random(CONTENT_SEED).nextBytes(content);
    java.util.Arrays.fill(content, 50_000, 200_000, (byte) 7);
    Path raw = Files.write(folder.resolve("raw"), content);
    Files.deleteIfExists(image);
    Qemu.succeed("qemu-img", "convert", "-c", "-O", "qcow2", "-o", options, raw, image);
    Qemu.succeed("qemu-io", "-f", "qcow2", "-c", "write 10k 70k", "-c", "write -z 100k 64k", image);
  }

  /** Changes one to four words of tables, in a way that a bit error or a lost write would. */
  private static String damage(byte[] image, SplittableRandom random) {
    ByteBuffer bytes = ByteBuffer.wrap(image);
    int clusterSize = 1 << bytes.getInt(20);
    List<Integer> tables = new ArrayList<>();
    int l1 = (int) bytes.getLong(40);
    int refcountTable = (int) bytes.getLong(48);
    tables.add(l1);
    tables.add(refcountTable);
    for (int i = 0; i < bytes.getInt(36); i++) {
      tables.add((int) (bytes.getLong(l1 + i * 8) & L2Entry.OFFSET));
    }
    for (int i = 0; i < clusterSize / 8; i++) {
      int block = (int) bytes.getLong(refcountTable + i * 8);
      if (block != 0) {
        tables.add(block);
      }
    }
    StringBuilder where = new StringBuilder();
    for (int left = 1 + random.nextInt(4); left > 0; ) {
      int table = tables.get(random.nextInt(tables.size()));
      int used =
          Math.min(
              clusterSize / 8, table == l1 ? bytes.getInt(36) : table == refcountTable ? 2 : 20);
      int at = Math.min(table + 8 * random.nextInt(used), image.length - 8);
      long old = bytes.getLong(at);
      long now =
          switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> old ^ 1L << 63;
            case 2 -> old + clusterSize;
            case 3 -> old ^ 1L << random.nextInt(64);
            case 4 -> old ^ 1L << random.nextInt(20);
            default -> bytes.getLong(table);
          };
      if (now == old) {
        continue;
      }
      left--;
      bytes.putLong(at, now);
      where.append(String.format("[%#x: %#x -> %#x]", at, old, now));
    }
    return where.toString();
  }

  private static Counts theirs(Path image) throws IOException {
    Qemu.Result result = Qemu.run("qemu-img", "check", "-f", "qcow2", "--output=json", image);
    return new Counts(
        result.exit(), number(result.output(), "corruptions"), number(result.output(), "leaks"));
  }

  private static long number(String json, String key) {
    Matcher matcher = Pattern.compile("\"" + key + "\": (\\d+)").matcher(json);
    return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
  }

  private static Counts ours(Path image) throws IOException {
    try (BlockDevice device = Images.open(image, OpenOptions.readOnly().withFormat("qcow2"))) {
      CheckReport report = device.feature(Checking.class).orElseThrow().check((d, t) -> true);
      int exit = report.unchecked() > 0 ? 1 : report.errors() > 0 ? 2 : report.leaks() > 0 ? 3 : 0;
      return new Counts(exit, report.errors(), report.leaks());
    } catch (io.vdisk.ImageException e) {
      return new Counts(1, 0, 0);
    }
  }
}
