package io.vdisk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

class ImageCommitTest {
  private static final int K = 1 << 10;
  private static final int UNIT = 64 * K;
  private static final int SIZE = 40 * UNIT;

  private final List<String> log = new ArrayList<>();

  private TinyOverlay image(String name, long size, BlockDevice below) {
    return new TinyOverlay(name, size, UNIT, Optional.ofNullable(below), log);
  }

  private TinyOverlay base(long size) {
    return new TinyOverlay("base", size, UNIT, Optional.empty(), log);
  }

  private static void scatter(TinyOverlay image, Random random) throws IOException {
    int units = (int) (image.size() / UNIT);
    for (int i = 0; i < units / 3; i++) {
      byte[] bytes = new byte[UNIT];
      if (random.nextInt(4) > 0) {
        random.nextBytes(bytes);
      }
      image.write(ByteBuffer.wrap(bytes), (long) random.nextInt(units) * UNIT);
    }
  }

  @Test
  void baseReadsAsTheOverlayDid() throws IOException {
    long seed = System.nanoTime();
    System.out.println("ImageCommitTest seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 50; round++) {
      TinyOverlay base = base((1 + random.nextInt(40)) * UNIT);
      TinyOverlay middle = image("middle", (1 + random.nextInt(40)) * UNIT, base);
      TinyOverlay top = image("top", (1 + random.nextInt(40)) * UNIT, middle);
      scatter(base, random);
      scatter(middle, random);
      scatter(top, random);
      byte[] content = top.content();
      byte[] old = base.content();

      ImageCopy.Result unused = ImageCommit.of(top, base).through(1).run();

      assertArrayEquals(content, Arrays.copyOf(base.content(), content.length));
      if (old.length > content.length) {
        assertArrayEquals(
            Arrays.copyOfRange(old, content.length, old.length),
            Arrays.copyOfRange(base.content(), content.length, old.length));
      }
      assertArrayEquals(content, top.content());
    }
  }

  @Test
  void onlyWhatTheOverlayHoldsIsWritten() throws IOException {
    TinyOverlay base = base(SIZE).fill(0, SIZE, 1);
    TinyOverlay top = image("top", SIZE, base).fill(3 * UNIT, UNIT, 2).fill(5 * UNIT, UNIT, 0);

    ImageCopy.Result unused = ImageCommit.of(top, base).run();

    assertEquals(List.of("base write 196608+65536", "base write 327680+65536", "base flush"), log);
  }

  @Test
  void overlayIsEmptiedWhenItsDataIsDurable() throws IOException {
    TinyOverlay base = base(SIZE).fill(0, UNIT, 1);
    TinyOverlay top = image("top", SIZE + UNIT, base).fill(UNIT, UNIT, 2);
    byte[] content = top.content();

    ImageCopy.Result unused = ImageCommit.of(top, base).emptyingOverlay().run();

    assertEquals(
        List.of(
            "base resize " + (SIZE + UNIT), "base write 65536+65536", "base flush", "top empty"),
        log);
    assertEquals(0, top.units());
    assertArrayEquals(content, top.content());
  }

  @Test
  void failureLeavesTheOverlayWhole() throws IOException {
    TinyOverlay base = base(SIZE);
    TinyOverlay top = image("top", SIZE, base).fill(0, 2 * UNIT, 2);
    byte[] content = top.content();

    base.failFlush = true;
    assertThrows(IOException.class, () -> ImageCommit.of(top, base).emptyingOverlay().run());
    base.failFlush = false;
    base.failWriteAt = UNIT;
    assertThrows(IOException.class, () -> ImageCommit.of(top, base).emptyingOverlay().run());
    base.failWriteAt = -1;
    assertThrows(
        CancellationException.class,
        () ->
            ImageCommit.of(top, base)
                .emptyingOverlay()
                .withProgress((done, total) -> done == 0)
                .run());

    assertFalse(log.contains("top empty"));
    assertEquals(2, top.units());
    assertArrayEquals(content, top.content());
    ImageCopy.Result unused = ImageCommit.of(top, base).emptyingOverlay().run();
    assertArrayEquals(content, base.content());
  }

  @Test
  void baseThatCannotGrowIsRefusedBeforeAnythingIsWritten() {
    TinyOverlay base = base(UNIT);
    TinyOverlay top = image("top", SIZE, base);
    base.canResize = false;

    UnsupportedImageException refusal =
        assertThrows(UnsupportedImageException.class, () -> ImageCommit.of(top, base).run());

    assertTrue(refusal.getMessage().endsWith("overlay images cannot be resized"));
    assertEquals(List.of(), log);
  }

  @Test
  void overlayOverOtherImagesIsNotEmptied() {
    TinyOverlay base = base(SIZE);
    ImageCommit commit =
        ImageCommit.of(image("top", SIZE, image("middle", SIZE, base)), base)
            .through(1)
            .emptyingOverlay();

    assertThrows(IllegalArgumentException.class, commit::run);
    assertEquals(List.of(), log);
  }
}
