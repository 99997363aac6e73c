package io.vdisk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.NonWritableChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class ImageCopyTest {
  private static final int K = 1 << 10;
  private static final int M = 1 << 20;

  @Nested
  class Content {
    @Test
    void everyByteArrives() throws IOException {
      long seed = System.nanoTime();
      System.out.println("ImageCopyTest seed " + seed);
      Random random = new Random(seed);
      for (int round = 0; round < 20; round++) {
        TinyDevice source = new TinyDevice(1 + random.nextInt(9 * M), 1);
        TinyDevice target = new TinyDevice(source.size(), 1 << random.nextInt(20));
        for (int i = 0; i < 20; i++) {
          long offset = random.nextLong(source.size());
          int length = random.nextInt(1, 400 * K);
          source.fill(
              offset, (int) Math.min(length, source.size() - offset), random.nextInt(1, 100));
        }

        ImageCopy.Result result =
            ImageCopy.of(source, target).toEmptyTarget().withThreads(1 + round % 4).run();

        assertArrayEquals(source.content(), target.content());
        assertEquals(source.size(), result.written() + result.skipped());
      }
    }

    @Test
    void anEmptyDiskIsCopied() throws IOException {
      ImageCopy.Result result = ImageCopy.of(new TinyDevice(0, 1), new TinyDevice(0, 1)).run();

      assertEquals(new ImageCopy.Result(0, 0, 0), result);
    }

    @Test
    void holesAreNotRead() throws IOException {
      TinyDevice source =
          new TinyDevice(8 * M, 1).with(Extent.hole(M, 6 * M)).fill(0, M, 1).fill(7 * M, M, 2);
      TinyDevice target = new TinyDevice(8 * M, 64 * K);

      ImageCopy.Result result = ImageCopy.of(source, target).toEmptyTarget().run();

      assertArrayEquals(source.content(), target.content());
      assertEquals(new ImageCopy.Result(2 * M, 2 * M, 6 * M), result);
    }

    @Test
    void granuleThatIsPartlyDataIsReadWhole() throws IOException {
      TinyDevice source =
          new TinyDevice(M, 1)
              .with(Extent.hole(0, 100 * K))
              .with(Extent.hole(101 * K, M - 101 * K))
              .fill(100 * K, K, 5);
      TinyDevice target = new TinyDevice(M, 64 * K);

      ImageCopy.of(source, target).toEmptyTarget().run();

      assertEquals(List.of("read 65536+65536"), source.calls);
      assertEquals(List.of("write 65536+65536", "flush"), target.calls);
      assertArrayEquals(source.content(), target.content());
    }

    @Test
    void zeroesInDataAreNotWritten() throws IOException {
      TinyDevice source = new TinyDevice(M, 1).fill(256 * K, 4 * K, 5);
      TinyDevice target = new TinyDevice(M, 1);

      ImageCopy.Result result = ImageCopy.of(source, target).toEmptyTarget().run();

      assertEquals(List.of("write 262144+4096", "flush"), target.calls);
      assertEquals(new ImageCopy.Result(M, 4 * K, M - 4 * K), result);
    }

    @Test
    void holesAreNoSmallerThanTheyMayBe() throws IOException {
      TinyDevice source = new TinyDevice(M, 1).fill(0, 8 * K, 1).fill(40 * K, 8 * K, 2);
      TinyDevice target = new TinyDevice(M, 1);

      ImageCopy.of(source, target).toEmptyTarget().withSmallestHole(9 * K).run();

      assertEquals(List.of("write 0+16384", "write 32768+16384", "flush"), target.calls);
    }

    @Test
    void everythingIsWrittenWhereNoHolesAreWanted() throws IOException {
      TinyDevice source = new TinyDevice(M, 1).with(Extent.hole(64 * K, M - 64 * K));
      TinyDevice target = new TinyDevice(M, 1);

      ImageCopy.of(source, target).toEmptyTarget().withSmallestHole(0).run();

      assertEquals(List.of("write 0+1048576", "flush"), target.calls);
    }

    @Test
    void everyByteArrivesInAnyOrder() throws IOException {
      TinyDevice source = new TinyDevice(20 * M + 77, 1);
      for (int i = 0; i < 60; i++) {
        source.fill(i * 300L * K, 100 * K, i + 1);
      }
      TinyDevice target = new TinyDevice(source.size(), 64 * K);

      ImageCopy.of(source, target).toEmptyTarget().withThreads(4).inAnyOrder().run();

      assertArrayEquals(source.content(), target.content());
    }

    @Test
    void smallNeighboursAreReadTogether() throws IOException {
      TinyDevice source = new TinyDevice(4 * M, 1);
      for (int i = 0; i < 64; i++) {
        source.with(Extent.data(i * 64L * K, 64 * K));
      }

      ImageCopy.of(source, new TinyDevice(4 * M, 1)).withThreads(1).toEmptyTarget().run();

      assertEquals(
          List.of(
              "read 0+1048576",
              "read 1048576+1048576",
              "read 2097152+1048576",
              "read 3145728+1048576"),
          source.calls);
    }
  }

  /** Many extents that are shorter than what is read at a time. */
  @Nested
  class Scattered {
    private static final int PIECES = 90;

    private final TinyDevice source = new TinyDevice(PIECES * M, 1);

    Scattered() throws IOException {
      for (long at = 0; at < source.size(); at += M) {
        int length = 64 * K * (1 + (int) (at / M) % 3);
        source.with(Extent.data(at, length)).with(Extent.hole(at + length, M - length));
        source.fill(at, length, 1 + (int) (at / M));
      }
    }

    @Test
    void everyByteArrivesAndNoHoleIsRead() throws IOException {
      for (int threads = 1; threads <= 4; threads++) {
        TinyDevice target = new TinyDevice(source.size(), 64 * K);

        ImageCopy.Result result =
            ImageCopy.of(source, target).toEmptyTarget().withThreads(threads).run();

        assertArrayEquals(source.content(), target.content());
        assertEquals(source.size(), result.written() + result.skipped());
        assertEquals(result.read(), result.written());
      }
      assertTrue(source.calls.stream().allMatch(call -> call.matches("read \\d+\\+\\d{5,6}")));
    }

    @Test
    void failedReadLeavesNoThreadAndIsThrown() throws IOException {
      source.failReadAt = 50 * M;
      TinyDevice target = new TinyDevice(source.size(), 64 * K);

      assertThrows(
          IOException.class,
          () -> ImageCopy.of(source, target).toEmptyTarget().withThreads(3).run());

      assertNoThreadIsLeft();
    }

    @Test
    void cancellingStopsIt() throws IOException {
      TinyDevice target = new TinyDevice(source.size(), 64 * K);

      assertThrows(
          CancellationException.class,
          () ->
              ImageCopy.of(source, target)
                  .toEmptyTarget()
                  .withProgress((done, total) -> done < 20L * M)
                  .run());

      assertNoThreadIsLeft();
    }
  }

  @Nested
  class Target {
    @Test
    void whatItHeldIsOverwrittenByZeroes() throws IOException {
      TinyDevice source = new TinyDevice(M, 1).with(Extent.hole(0, 512 * K));
      TinyDevice target = new TinyDevice(M, 1).fill(0, M, 7).with(Extent.hole(0, 64 * K));
      target.fill(0, 64 * K, 0);

      ImageCopy.of(source, target).run();

      assertEquals(List.of("zero 65536+458752", "zero 524288+524288", "flush"), target.calls);
      assertArrayEquals(new byte[M], target.content());
    }

    @Test
    void whatIsSharedStays() throws IOException {
      TinyDevice source =
          new TinyDevice(M, 1)
              .with(Extent.data(0, 256 * K).deeper(1))
              .with(Extent.hole(256 * K, 256 * K))
              .with(Extent.hole(512 * K, 256 * K).deeper(2))
              .fill(0, 256 * K, 1)
              .fill(768 * K, 256 * K, 3);
      TinyDevice target = new TinyDevice(M, 1).fill(0, M, 1);
      target.fill(512 * K, 256 * K, 0);

      ImageCopy.Result result = ImageCopy.of(source, target).withSharedBacking().run();

      assertEquals(List.of("zero 262144+262144", "write 786432+262144", "flush"), target.calls);
      assertArrayEquals(source.content(), target.content());
      assertEquals(256 * K, result.read());
    }

    @Test
    void flushCanBeLeftOut() throws IOException {
      TinyDevice target = new TinyDevice(M, 1);

      ImageCopy.of(new TinyDevice(M, 1), target).toEmptyTarget().withoutFlush().run();

      assertEquals(List.of(), target.calls);
    }

    @Test
    void sizesMustFit() throws IOException {
      TinyDevice small = new TinyDevice(M, 1).fill(0, M, 1);
      TinyDevice large = new TinyDevice(2 * M, 1).fill(M, M, 9);

      assertEquals(
          "the source has 2097152 bytes, the target only 1048576",
          assertThrows(IllegalArgumentException.class, () -> ImageCopy.of(large, small).run())
              .getMessage());
      assertEquals(
          "the target has 2097152 bytes, the source only 1048576",
          assertThrows(IllegalArgumentException.class, () -> ImageCopy.of(small, large).run())
              .getMessage());
      ImageCopy.of(small, large).toLargerTarget().run();
      assertEquals(1, large.content()[M - 1]);
      assertEquals(9, large.content()[M]);
    }

    @Test
    void readOnlyTargetIsRefused() throws IOException {
      TinyDevice target = new TinyDevice(M, 1);
      target.writable = false;

      assertThrows(
          NonWritableChannelException.class,
          () -> ImageCopy.of(new TinyDevice(M, 1), target).run());
    }
  }

  @Nested
  class Compression {
    @Test
    void unitsAreStoredInOrder() throws IOException {
      TinyDevice source = new TinyDevice(4 * M + 10 * K, 1);
      List<String> expected = new ArrayList<>();
      for (int i = 0; i <= 64; i++) {
        int length = i == 64 ? 10 * K : 64 * K;
        source.fill(i * 64L * K, length, i);
        if (i > 0) {
          expected.add("append " + i * 64 * K + " as " + (i % 2 == 0 ? 100 : 0));
        }
      }
      expected.add("flush");
      TinyDevice target = new TinyDevice(source.size(), 64 * K);
      target.encoding = 100;

      ImageCopy.Result result =
          ImageCopy.of(source, target).toEmptyTarget().compressed().withThreads(4).run();

      assertEquals(expected, target.calls);
      assertArrayEquals(source.content(), target.content());
      assertEquals(source.size() - 64 * K, result.written());
    }

    @Test
    void formatThatCannotIsRefused() throws IOException {
      UnsupportedImageException refusal =
          assertThrows(
              UnsupportedImageException.class,
              () -> ImageCopy.of(new TinyDevice(M, 1), new TinyDevice(M, 1)).compressed().run());

      assertEquals("tiny images cannot store compressed units", refusal.getMessage());
    }
  }

  @Nested
  class Faults {
    @Test
    void firstFailedReadInTheOrderOfTheDiskIsThrown() throws IOException {
      TinyDevice source = new TinyDevice(40 * M, 1);
      source.failReadAt = 9 * M;
      TinyDevice target = new TinyDevice(40 * M, 1);

      IOException failure =
          assertThrows(IOException.class, () -> ImageCopy.of(source, target).withThreads(3).run());

      assertEquals("cannot read " + 9 * M, failure.getMessage());
      assertFalse(target.calls.contains("flush"));
      assertNoThreadIsLeft();
    }

    @Test
    void failedWriteEndsTheReading() throws IOException {
      TinyDevice source = new TinyDevice(40 * M, 1).fill(0, 40 * M, 1);
      TinyDevice target = new TinyDevice(40 * M, 1);
      target.failWriteAt = 3 * M;

      IOException failure =
          assertThrows(IOException.class, () -> ImageCopy.of(source, target).run());

      assertEquals("cannot write " + 3 * M, failure.getMessage());
      assertTrue(source.calls.size() < 10, source.calls::toString);
      assertNoThreadIsLeft();
    }

    @Test
    void whatFailedBesideIsSuppressed() throws IOException {
      TinyDevice source = new TinyDevice(40 * M, 1).fill(0, M, 1);
      source.failReadAt = M;
      TinyDevice target = new TinyDevice(40 * M, 1);
      target.failWriteAt = 0;
      target.failWriteAfter = source.failedRead;

      IOException failure =
          assertThrows(IOException.class, () -> ImageCopy.of(source, target).run());

      assertEquals("cannot write 0", failure.getMessage());
      assertEquals("cannot read " + M, failure.getSuppressed()[0].getMessage());
    }

    @Test
    void interruptDoesNotStopIt() throws IOException {
      TinyDevice source = new TinyDevice(8 * M, 1).fill(0, 8 * M, 1);
      TinyDevice target = new TinyDevice(8 * M, 1);

      Thread.currentThread().interrupt();
      ImageCopy.of(source, target).run();

      assertTrue(Thread.interrupted());
      assertArrayEquals(source.content(), target.content());
    }
  }

  @Nested
  class Progresses {
    @Test
    void theyRiseToTheEnd() throws IOException {
      TinyDevice source = new TinyDevice(5 * M, 1).fill(0, 5 * M, 1);
      List<Long> seen = new ArrayList<>();

      ImageCopy.of(source, new TinyDevice(5 * M, 1))
          .withThreads(1)
          .withProgress((done, total) -> seen.add(done))
          .run();

      assertEquals(List.of(0L, (long) M, 2L * M, 3L * M, 4L * M, 5L * M), seen);
    }

    @Test
    void theyRiseWhereSeveralThreadsCopy() throws IOException {
      TinyDevice source = new TinyDevice(40 * M, 1).fill(0, 40 * M, 1);
      List<Long> seen = new ArrayList<>();
      Thread caller = Thread.currentThread();

      ImageCopy.of(source, new TinyDevice(40 * M, 1))
          .withThreads(3)
          .withProgress((done, total) -> seen.add(Thread.currentThread() == caller ? done : -1))
          .run();

      assertEquals(seen.stream().sorted().toList(), seen);
      assertEquals(0, seen.get(0));
      assertEquals(40 * M, seen.get(seen.size() - 1));
    }

    @Test
    void cancellingStopsTheCopy() throws IOException {
      TinyDevice source = new TinyDevice(40 * M, 1).fill(0, 40 * M, 1);
      TinyDevice target = new TinyDevice(40 * M, 1);

      assertThrows(
          CancellationException.class,
          () ->
              ImageCopy.of(source, target)
                  .withThreads(1)
                  .withProgress((done, total) -> done < 2 * M)
                  .run());

      assertEquals(List.of("write 0+1048576", "write 1048576+1048576"), target.calls);
    }

    @Test
    void cancellingStopsEveryThread() throws IOException {
      TinyDevice source = new TinyDevice(40 * M, 1).fill(0, 40 * M, 1);
      TinyDevice target = new TinyDevice(40 * M, 1);

      assertThrows(
          CancellationException.class,
          () ->
              ImageCopy.of(source, target)
                  .withThreads(3)
                  .withProgress((done, total) -> done == 0)
                  .run());

      assertFalse(target.calls.contains("flush"));
      assertNoThreadIsLeft();
    }
  }

  private static void assertNoThreadIsLeft() {
    assertTrue(
        Thread.getAllStackTraces().keySet().stream()
            .noneMatch(thread -> thread.getName().equals("vdisk-copy")));
  }
}
