package io.vdisk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

class ImageRebaseTest {
  private static final int K = 1 << 10;
  private static final int UNIT = 64 * K;
  private static final int SIZE = 40 * UNIT;
  private static final Optional<String> RAW = Optional.of("raw");

  private final List<String> log = new ArrayList<>();

  private TinyOverlay over(BlockDevice backing, long size) {
    return new TinyOverlay("top", size, UNIT, Optional.of(backing), log);
  }

  private static TinyOverlay disk(long size) {
    return new TinyOverlay("disk", size, 4 * K, Optional.empty());
  }

  /** The same overlay over another backing device. */
  private static byte[] contentOver(TinyOverlay overlay, Optional<BlockDevice> backing)
      throws IOException {
    byte[] content = new byte[(int) overlay.size()];
    for (long at = 0; at < overlay.size(); ) {
      Extent extent = overlay.extentAt(at, overlay.size() - at);
      ByteBuffer part = ByteBuffer.wrap(content, (int) at, (int) extent.length());
      if (extent.depth() == 0 && extent.kind() != Extent.Kind.HOLE) {
        overlay.read(part, at);
      } else if (backing.isPresent() && at < backing.get().size()) {
        part.limit((int) Math.min(part.limit(), backing.get().size()));
        backing.get().read(part, at);
      }
      at += extent.length();
    }
    return content;
  }

  private static void scatter(TinyOverlay disk, Random random) throws IOException {
    for (int i = 0; i < 30; i++) {
      int length = Math.min(1 + random.nextInt(200 * K), (int) disk.size());
      byte[] bytes = new byte[length];
      if (random.nextInt(4) > 0) {
        java.util.Arrays.fill(bytes, (byte) random.nextInt(3));
      }
      disk.write(ByteBuffer.wrap(bytes), random.nextLong(disk.size() - length + 1));
    }
  }

  @Test
  void diskReadsTheSameOverTheNewBackingFile() throws IOException {
    long seed = System.nanoTime();
    System.out.println("ImageRebaseTest seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 60; round++) {
      TinyOverlay old = disk((1 + random.nextInt(60)) * 4L * K * 16);
      TinyOverlay other = disk((1 + random.nextInt(60)) * 4L * K * 16);
      scatter(old, random);
      scatter(other, random);
      old.fill(0, 40 * K, 0);
      TinyOverlay top = over(old, (1 + random.nextInt(40)) * UNIT);
      top.fill(0, UNIT, 9);
      byte[] content = top.content();
      top.leavesZeroes = round % 2 == 0;
      boolean flat = round % 5 == 0;

      ImageRebase rebase =
          flat ? ImageRebase.flattening(top) : ImageRebase.of(top, other, "new", RAW);
      long unused = rebase.run();

      assertArrayEquals(
          content, contentOver(top, flat ? Optional.empty() : Optional.of(other)), "seed " + seed);
      assertEquals(flat ? "none none" : "new raw", top.link);
    }
  }

  @Test
  void onlyUnitsThatDifferAreWritten() throws IOException {
    TinyOverlay old = disk(SIZE).fill(0, SIZE, 1);
    TinyOverlay other = disk(SIZE).fill(0, SIZE, 1).fill(7 * UNIT + 100, 1, 2);
    TinyOverlay top = over(old, SIZE);

    assertEquals(UNIT, ImageRebase.of(top, other, "new", RAW).run());

    assertEquals(List.of("top write 458752+65536", "top flush", "top link new raw"), log);
  }

  @Test
  void whatTheOverlayHoldsIsLeftAlone() throws IOException {
    TinyOverlay top = over(disk(SIZE).fill(0, SIZE, 1), SIZE).fill(0, SIZE, 0);

    assertEquals(0, ImageRebase.of(top, disk(SIZE).fill(0, SIZE, 5), "new", RAW).run());

    assertEquals(List.of("top flush", "top link new raw"), log);
  }

  @Test
  void partOfAUnitIsHeldWhole() throws IOException {
    // Both know that they hold nothing in the first 48 KiB, which are no whole unit.
    TinyOverlay other = disk(UNIT).fill(48 * K, 16 * K, 4);
    TinyOverlay top = over(disk(UNIT), UNIT);
    top.leavesZeroes = true;

    assertEquals(UNIT, ImageRebase.of(top, other, "new", RAW).run());

    assertEquals(1, top.units());
    assertEquals(0, contentOver(top, Optional.of(other))[UNIT - 1]);
  }

  @Test
  void zeroesHideALongerBackingFile() throws IOException {
    TinyOverlay top = over(disk(UNIT).fill(0, UNIT, 1), 3 * UNIT);
    TinyOverlay other = disk(3 * UNIT).fill(0, UNIT, 1).fill(2 * UNIT, UNIT, 4);

    long unused = ImageRebase.of(top, other, "new", RAW).run();

    assertEquals(0, contentOver(top, Optional.of(other))[2 * UNIT]);
  }

  @Test
  void nameStaysUntilAllIsDurable() throws IOException {
    TinyOverlay top = over(disk(SIZE).fill(0, SIZE, 1), SIZE);

    top.failWriteAt = 20 * UNIT;
    assertThrows(IOException.class, () -> ImageRebase.flattening(top).run());
    top.failWriteAt = -1;
    assertThrows(
        CancellationException.class,
        () -> ImageRebase.flattening(top).withProgress((done, total) -> done < UNIT).run());

    top.failFlush = true;
    assertThrows(IOException.class, () -> ImageRebase.flattening(top).run());

    assertEquals("old", top.link);
    top.failFlush = false;
    long unused = ImageRebase.flattening(top).run();
    assertEquals("none none", top.link);
    assertEquals(40, top.units());
  }

  @Test
  void formatWithoutBackingFilesIsRefused() throws IOException {
    TinyDevice tiny = new TinyDevice(UNIT, 1);

    assertThrows(UnsupportedImageException.class, () -> ImageRebase.flattening(tiny).run());

    assertEquals(List.of(), tiny.calls);
  }

  @Test
  void progressEndsWithAll() throws IOException {
    TinyOverlay top = over(disk(SIZE).fill(0, SIZE, 1), SIZE);
    List<Long> seen = new ArrayList<>();

    long unused = ImageRebase.flattening(top).withProgress((done, total) -> seen.add(done)).run();

    assertEquals(0, seen.get(0));
    assertEquals(SIZE, seen.get(seen.size() - 1));
    assertEquals(seen.stream().sorted().distinct().toList(), seen);
  }
}
