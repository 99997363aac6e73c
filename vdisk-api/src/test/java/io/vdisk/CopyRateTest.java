package io.vdisk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How fast a copy may write, by a clock that the test owns. */
class CopyRateTest {
  private static final int M = 1 << 20;

  private final List<String> pauses = new ArrayList<>();
  private final CopyTurns turns = new CopyTurns(true, false);

  @Test
  void pieceWaitsUntilThoseBeforeWouldBeWritten() throws IOException {
    TinyDevice source = new TinyDevice(3 * M + M / 2, M).fill(0, 3 * M + M / 2, 1);
    TinyDevice target = new TinyDevice(source.size(), M);

    ImageCopy.Result unused =
        ImageCopy.of(source, target)
            .toEmptyTarget()
            .withThreads(1)
            .withRate(2 * M, new TestClock(target.calls))
            .run();

    assertEquals(
        List.of(
            "write 0+1048576",
            "pause of 500 ms",
            "write 1048576+1048576",
            "pause of 500 ms",
            "write 2097152+1048576",
            "pause of 500 ms",
            "write 3145728+524288",
            "flush"),
        target.calls);
    assertArrayEquals(source.content(), target.content());
  }

  @Test
  void rateBelowZeroIsNone() throws IOException {
    TinyDevice disk = new TinyDevice(M, M);
    ImageCopy copy = ImageCopy.of(disk, disk);
    ImageCommit commit = ImageCommit.of(disk, disk);
    assertThrows(IllegalArgumentException.class, () -> copy.withRate(-1));
    assertThrows(IllegalArgumentException.class, () -> commit.withRate(-1));
  }

  @Test
  void whatIsNotWrittenTakesNoTime() throws IOException {
    TinyDevice source = new TinyDevice(64 * M, M).fill(40 * M, 4096, 1).fill(50 * M, 1, 1);
    TinyDevice target = new TinyDevice(source.size(), M);

    ImageCopy.Result unused =
        ImageCopy.of(source, target)
            .toEmptyTarget()
            .withThreads(1)
            .withRate(64 << 10, new TestClock(pauses))
            .run();

    assertEquals(List.of("pause of 1000 ms"), pauses);
  }

  @Test
  void whoComesWhileOthersWaitWaitsLonger() {
    CopyRate rate = new CopyRate(1000, standing());

    for (int i = 0; i < 3; i++) {
      rate.await(500, turns);
    }

    assertEquals(List.of("500", "1000"), pauses);
  }

  @Test
  void nothingIsSavedUp() {
    long[] now = {0};
    CopyRate rate = new CopyRate(1000, clock(now));
    rate.await(500, turns);
    now[0] += 3_600_000_000_000L;

    rate.await(500, turns);
    rate.await(500, turns);

    assertEquals(List.of("500"), pauses);
  }

  @Test
  void withoutARateNobodyWaits() {
    CopyRate rate = new CopyRate(0, standing());

    rate.await(Long.MAX_VALUE, turns);
    rate.await(1, turns);

    assertEquals(List.of(), pauses);
  }

  private CopyClock standing() {
    return clock(new long[1]);
  }

  private CopyClock clock(long[] now) {
    return new CopyClock() {
      @Override
      public long nanos() {
        return now[0];
      }

      @Override
      public void pause(long nanos, CopyTurns unused) {
        pauses.add("" + nanos / 1_000_000);
      }
    };
  }

  @Test
  void failureEndsTheWaitOfTheOthers() throws InterruptedException {
    assertEndsAPause(() -> turns.fail(5, new IOException()));
  }

  @Test
  void endOfTheCopyEndsTheWait() throws InterruptedException {
    assertEndsAPause(turns::end);
  }

  private void assertEndsAPause(Runnable event) throws InterruptedException {
    Thread waiting = new Thread(() -> turns.pause(TimeUnit.DAYS.toNanos(1)));
    waiting.setDaemon(true);
    waiting.start();
    while (waiting.getState() != Thread.State.TIMED_WAITING && waiting.isAlive()) {
      Thread.onSpinWait();
    }

    event.run();

    waiting.join(TimeUnit.SECONDS.toMillis(30));
    assertFalse(waiting.isAlive());
  }

  @Test
  void commitHasARateToo() throws IOException {
    TinyOverlay base = new TinyOverlay("base", 4 * M, M, Optional.empty(), new ArrayList<>());
    TinyOverlay top = new TinyOverlay("top", 4 * M, M, Optional.of(base), new ArrayList<>());
    for (int i = 0; i < 4; i++) {
      top.write(ByteBuffer.wrap(new byte[] {1}), (long) i * M);
    }
    byte[] content = top.content();

    ImageCopy.Result unused = ImageCommit.of(top, base).withRate(M, new TestClock(pauses)).run();

    assertArrayEquals(content, base.content());
    assertFalse(pauses.isEmpty());
  }

  @Test
  void rateBelowZeroIsRefused() throws IOException {
    TinyDevice device = new TinyDevice(M, M);

    assertThrows(IllegalArgumentException.class, () -> ImageCopy.of(device, device).withRate(-1));
    assertThrows(IllegalArgumentException.class, () -> ImageCommit.of(device, device).withRate(-1));
  }
}
