package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class CrashDiskTest {
  private static final int SECTOR = 512;
  private static final long SEED = 7;

  private final CrashDisk disk = new CrashDisk();
  private final CrashFile file = disk.file("a");

  @Test
  void whatWasFlushedSurvivesEveryCut() throws IOException {
    fill(file, 0, 4 * SECTOR, 1);
    file.flush();

    Random random = new Random(SEED);
    for (int i = 0; i < 20; i++) {
      HostFile image = disk.cut(random).files().get(0);
      assertEquals(4 * SECTOR, image.size());
      assertEquals(List.of(1, 1, 1, 1), sectors(image, 4), "seed " + SEED);
    }
  }

  @Test
  void eachSectorHoldsItsFlushedValueOrAnyLaterOneIndependentlyOfOthers() throws IOException {
    fill(file, 0, 2 * SECTOR, 1);
    file.flush();
    fill(file, 0, 2 * SECTOR, 2);
    fill(file, 0, 2 * SECTOR, 3);

    Set<List<Integer>> seen = new HashSet<>();
    Random random = new Random(SEED);
    for (int i = 0; i < 500; i++) {
      seen.add(sectors(disk.cut(random).files().get(0), 2));
    }
    assertEquals(9, seen.size(), "seed " + SEED + ": " + seen);
  }

  @Test
  void sizeIsTheFlushedOneOrAnyLaterOne() throws IOException {
    file.resize(1000);
    file.flush();
    file.resize(3000);
    file.resize(2000);

    Set<Long> seen = new TreeSet<>();
    Random random = new Random(SEED);
    for (int i = 0; i < 100; i++) {
      seen.add(disk.cut(random).files().get(0).size());
    }
    assertEquals(Set.of(1000L, 2000L, 3000L), seen, "seed " + SEED);
  }

  @Test
  void smallerSizeTearsTheSectorInWhichTheFileEnds() throws IOException {
    fill(file, 0, 100, 1);
    file.flush();
    fill(file, 0, SECTOR, 2);

    Set<String> seen = new TreeSet<>();
    Random random = new Random(SEED);
    for (int i = 0; i < 100; i++) {
      CrashImage image = disk.cut(random);
      byte[] bytes = new byte[SECTOR];
      image.files().get(0).readPadded(ByteBuffer.wrap(bytes), 0);
      seen.add(bytes[0] + " and " + bytes[100] + (image.torn() ? ", torn" : ""));
    }
    assertEquals(Set.of("1 and 0", "2 and 2", "2 and 0, torn"), seen, "seed " + SEED);
  }

  @Test
  void theExtremesLoseAllAndNothing() throws IOException {
    CrashFile other = disk.file("b");
    fill(file, 0, SECTOR, 1);
    file.flush();
    fill(file, 0, SECTOR, 2);
    fill(other, 0, SECTOR, 3);

    assertEquals(List.of(1), sectors(disk.cutLosingAll().files().get(0), 1));
    assertEquals(0, disk.cutLosingAll().files().get(1).size());
    assertEquals(List.of(2), sectors(disk.cutLosingNothing().files().get(0), 1));
    assertEquals(List.of(3), sectors(disk.cutLosingNothing().files().get(1), 1));
  }

  @Test
  void imagesThatDifferHaveDifferentHashesAndOthersHaveNot() throws IOException {
    CrashFile other = disk.file("b");
    fill(file, 0, 3 * SECTOR, 1);
    fill(other, 0, SECTOR, 1);
    file.flush();
    fill(file, SECTOR - 1, 2, 2);
    file.zero(2 * SECTOR, SECTOR, false);
    fill(file, 2 * SECTOR, SECTOR, 0);
    file.resize(5 * SECTOR);
    other.resize(SECTOR + 1);

    Set<String> contents = new HashSet<>();
    Set<Long> hashes = new HashSet<>();
    Random random = new Random(SEED);
    for (int i = 0; i < 2000; i++) {
      CrashImage image = disk.cut(random);
      contents.add(content(image.files().get(0)) + " and " + content(image.files().get(1)));
      hashes.add(image.hash());
    }
    assertEquals(80, contents.size(), "seed " + SEED);
    assertEquals(contents.size(), hashes.size(), "seed " + SEED);
  }

  @Test
  void sameBytesElsewhereAreAnotherImage() throws IOException {
    CrashFile other = disk.file("b");
    Set<Long> hashes = new HashSet<>();
    for (CrashFile each : List.of(file, other)) {
      for (int sector = 0; sector < 3; sector++) {
        file.resize(3 * SECTOR);
        other.resize(3 * SECTOR);
        fill(each, (long) sector * SECTOR, SECTOR, 1);
        hashes.add(disk.cutLosingNothing().hash());
        each.resize(0);
      }
    }
    assertEquals(6, hashes.size());
  }

  private static String content(HostFile image) throws IOException {
    byte[] bytes = new byte[(int) image.size()];
    image.readFully(ByteBuffer.wrap(bytes), 0);
    return Arrays.toString(bytes);
  }

  @Test
  void flushOfOneFileLeavesTheOthersUnflushed() throws IOException {
    CrashFile other = disk.file("b");
    fill(file, 0, SECTOR, 1);
    fill(other, 0, SECTOR, 2);

    other.flush();

    assertEquals(0, disk.cutLosingAll().files().get(0).size());
    assertEquals(List.of(2), sectors(disk.cutLosingAll().files().get(1), 1));
  }

  @Test
  void bytesCutOffAndGrownAgainAreZeroWhateverSurvives() throws IOException {
    fill(file, 0, 2 * SECTOR, 1);
    file.flush();
    file.resize(SECTOR);
    file.resize(2 * SECTOR);
    file.flush();

    assertEquals(List.of(1, 0), sectors(disk.cut(new Random(SEED)).files().get(0), 2));
  }

  @Test
  void hookIsCalledAroundEachChangeAndEachFlushThatHasSomethingToDo() throws IOException {
    List<String> events = new ArrayList<>();
    disk.setHook(event -> events.add(event.toString()));

    fill(file, 100, 50, 1);
    file.zero(0, 120, false);
    file.resize(7);
    file.flush();
    file.flush();

    assertEquals(
        List.of(
            "before WRITE a 100+50",
            "after WRITE a 100+50",
            "before ZERO a 0+120",
            "after ZERO a 0+120",
            "before RESIZE a 7+0",
            "after RESIZE a 7+0",
            "before FLUSH a 0+0",
            "after FLUSH a 0+0"),
        events);
  }

  @Test
  void cutInsideAHookSeesTheInstant() throws IOException {
    List<Long> sizes = new ArrayList<>();
    disk.setHook(event -> sizes.add(disk.cutLosingNothing().files().get(0).size()));

    fill(file, 0, 10, 1);

    assertEquals(List.of(0L, 10L), sizes);
  }

  private static void fill(HostFile file, long offset, int length, int value) throws IOException {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    file.write(ByteBuffer.wrap(bytes), offset);
  }

  /** The first byte of each sector; the others must be equal to it. */
  private static List<Integer> sectors(HostFile image, int count) throws IOException {
    List<Integer> values = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] bytes = new byte[SECTOR];
      image.readFully(ByteBuffer.wrap(bytes), (long) i * SECTOR);
      for (byte b : bytes) {
        assertEquals(bytes[0], b);
      }
      values.add((int) bytes[0]);
    }
    return values;
  }
}
