package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.Advice;
import io.vdisk.file.HostFile;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What every {@link HostFile} does. */
public abstract class HostFileContract {
  /** Larger than any piece in which an implementation is likely to move bytes. */
  private static final int LARGE = 300_000;

  private HostFile file;

  /** For subclasses. */
  @SuppressWarnings("NullAway.Init") // JUnit calls open()
  protected HostFileContract() {}

  /** A new, empty file, open for writing, that can grow to 1 MiB at least. */
  protected abstract HostFile create() throws IOException;

  /**
   * Opens the file that {@link #create} made last once more, for reading only.
   *
   * @return empty if such files cannot be opened for reading only
   */
  protected abstract Optional<HostFile> reopenReadOnly() throws IOException;

  @BeforeEach
  public final void open() throws IOException {
    file = create();
  }

  @AfterEach
  public final void close() throws IOException {
    file.close();
  }

  /** Reading. */
  @Nested
  public class Reading {
    @Test
    public void isShortOnlyAtTheEnd() throws IOException {
      byte[] bytes = fill(1000);

      ByteBuffer dst = ByteBuffer.allocate(600);
      assertEquals(400, file.read(dst, 600));
      assertEquals(400, dst.position());
      assertEquals(600, dst.limit());
      assertArrayEquals(Arrays.copyOfRange(bytes, 600, 1000), Arrays.copyOf(dst.array(), 400));
    }

    @Test
    public void ofALargeRangeIsNotShort() throws IOException {
      byte[] bytes = fill(LARGE);
      ByteBuffer dst = ByteBuffer.allocate(LARGE);
      assertEquals(LARGE, file.read(dst, 0));
      assertArrayEquals(bytes, dst.array());
    }

    @Test
    public void pastTheEndTransfersNothing() throws IOException {
      fill(100);
      ByteBuffer dst = ByteBuffer.allocate(10);
      assertEquals(0, file.read(dst, 100));
      assertEquals(0, file.read(dst, 5000));
      assertEquals(0, dst.position());
    }

    @Test
    public void intoABufferWithoutRoomTransfersNothing() throws IOException {
      fill(100);
      assertEquals(0, file.read(ByteBuffer.allocate(0), 5));
    }

    @Test
    public void fillsDirectAndSlicedBuffersBetweenPositionAndLimit() throws IOException {
      byte[] bytes = fill(LARGE);
      ByteBuffer heap = ByteBuffer.allocate(LARGE).position(7).slice();
      for (ByteBuffer dst : new ByteBuffer[] {ByteBuffer.allocateDirect(LARGE), heap}) {
        dst.position(3).limit(70_003);
        assertEquals(70_000, file.read(dst, 11));
        assertEquals(70_003, dst.position());
        assertEquals(70_003, dst.limit());
        byte[] found = new byte[70_000];
        dst.position(3).get(found);
        assertArrayEquals(Arrays.copyOfRange(bytes, 11, 70_011), found);
        dst.clear();
        assertEquals(0, dst.get(2), "the byte before the position");
        assertEquals(0, dst.get(70_003), "the byte at the limit");
      }
    }

    @Test
    public void fullyFailsWithTheFilesNameWhereTheFileEnds() throws IOException {
      fill(100);
      EOFException e =
          assertThrows(EOFException.class, () -> file.readFully(ByteBuffer.allocate(20), 90));
      assertTrue(String.valueOf(e.getMessage()).contains(file.name()), e::toString);
    }

    @Test
    public void fullyUpToTheEndSucceeds() throws IOException {
      byte[] bytes = fill(100);
      ByteBuffer dst = ByteBuffer.allocate(20);
      file.readFully(dst, 80);
      assertArrayEquals(Arrays.copyOfRange(bytes, 80, 100), dst.array());
    }

    @Test
    public void paddedGivesZeroesPastTheEnd() throws IOException {
      byte[] bytes = fill(100);
      ByteBuffer dst = ByteBuffer.allocate(LARGE);
      Arrays.fill(dst.array(), (byte) 9);
      file.readPadded(dst, 90);
      assertFalse(dst.hasRemaining());
      assertArrayEquals(Arrays.copyOf(Arrays.copyOfRange(bytes, 90, 100), LARGE), dst.array());
    }
  }

  /** Writing. */
  @Nested
  public class Writing {
    @Test
    public void growsTheFileAndAGapIsZero() throws IOException {
      fill(10);
      file.write(ByteBuffer.wrap(new byte[] {5}), LARGE);
      assertEquals(LARGE + 1, file.size());
      byte[] gap = content(10, LARGE - 10);
      assertArrayEquals(new byte[LARGE - 10], gap);
      assertArrayEquals(new byte[] {5}, content(LARGE, 1));
    }

    @Test
    public void takesHeapDirectReadOnlyAndSlicedBuffersBetweenPositionAndLimit()
        throws IOException {
      byte[] bytes = random(LARGE);
      ByteBuffer direct = ByteBuffer.allocateDirect(LARGE).put(bytes).clear();
      ByteBuffer shifted = ByteBuffer.allocate(LARGE + 7).position(7).slice().put(bytes).clear();
      ByteBuffer[] all = {
        ByteBuffer.wrap(bytes), ByteBuffer.wrap(bytes).asReadOnlyBuffer(), direct, shifted
      };
      for (ByteBuffer src : all) {
        file.resize(0);
        src.position(3).limit(200_003);
        file.write(src, 11);
        assertEquals(200_003, src.position());
        assertEquals(200_003, src.limit());
        assertEquals(200_011, file.size());
        assertArrayEquals(Arrays.copyOfRange(bytes, 3, 200_003), content(11, 200_000));
      }
    }

    @Test
    public void leavesTheSourceAsItWas() throws IOException {
      byte[] bytes = random(5000);
      ByteBuffer src = ByteBuffer.wrap(bytes.clone());
      file.write(src, 1);
      assertArrayEquals(bytes, src.array());
    }

    @Test
    public void overwritesOnlyItsRange() throws IOException {
      byte[] bytes = fill(10_000);
      file.write(ByteBuffer.wrap(new byte[3000]), 1000);
      Arrays.fill(bytes, 1000, 4000, (byte) 0);
      assertArrayEquals(bytes, content(0, 10_000));
      assertEquals(10_000, file.size());
    }

    @Test
    public void pastTheLargestOffsetIsAnIoExceptionAndChangesNothing() throws IOException {
      byte[] bytes = fill(100);
      for (long offset : new long[] {Long.MAX_VALUE - 3, Long.MAX_VALUE}) {
        assertThrows(IOException.class, () -> file.write(ByteBuffer.allocate(10), offset));
      }
      assertEquals(100, file.size());
      assertArrayEquals(bytes, content(0, 100));
    }

    @Test
    public void byManyThreadsToDisjointRangesLosesNothing() throws Exception {
      int threads = 4;
      byte[] bytes = random(threads * 64_000);
      ExecutorService pool = Executors.newFixedThreadPool(threads);
      try {
        Future<?>[] writers = new Future<?>[threads];
        for (int t = 0; t < threads; t++) {
          int first = t;
          writers[t] = pool.submit(() -> writeEvery(threads, first, bytes));
        }
        for (Future<?> writer : writers) {
          writer.get();
        }
      } catch (ExecutionException e) {
        throw new AssertionError(e);
      } finally {
        pool.shutdownNow();
      }
      assertArrayEquals(bytes, content(0, bytes.length));
    }

    /** Writes every {@code step}-th piece of 1000 bytes. */
    private @Nullable Void writeEvery(int step, int first, byte[] bytes) throws IOException {
      for (int at = first * 1000; at < bytes.length; at += step * 1000) {
        file.write(ByteBuffer.wrap(bytes, at, Math.min(1000, bytes.length - at)), at);
      }
      return null;
    }
  }

  /** Resizing, zeroing and holes. */
  @Nested
  public class Shape {
    @Test
    public void pastTheCapacityNothingIsWritten() throws IOException {
      fill(100);
      long capacity = file.capacity();
      assertTrue(capacity >= 100, () -> "capacity " + capacity);
      assertThrows(IOException.class, () -> file.write(ByteBuffer.allocate(1), capacity));
      assertEquals(100, file.size());
    }

    @Test
    public void growingGivesZeroes() throws IOException {
      byte[] bytes = fill(100);
      file.resize(LARGE);
      assertEquals(LARGE, file.size());
      assertArrayEquals(Arrays.copyOf(bytes, LARGE), content(0, LARGE));
    }

    @Test
    public void bytesThatWereCutOffComeBackAsZero() throws IOException {
      byte[] bytes = fill(LARGE);
      file.resize(1000);
      assertEquals(1000, file.size());
      file.resize(LARGE);
      assertArrayEquals(Arrays.copyOf(Arrays.copyOf(bytes, 1000), LARGE), content(0, LARGE));
    }

    @Test
    public void zeroingClearsItsRangeOrSaysThatItDidNothing() throws IOException {
      byte[] bytes = fill(LARGE);
      for (boolean keepSpace : new boolean[] {true, false}) {
        if (file.zero(1001, 200_001, keepSpace)) {
          Arrays.fill(bytes, 1001, 201_002, (byte) 0);
        }
        assertArrayEquals(bytes, content(0, LARGE), "keepSpace " + keepSpace);
      }
    }

    @Test
    public void zeroingNeverGrowsTheFile() throws IOException {
      fill(1000);
      boolean inside = file.zero(500, 10_000, true);
      file.zero(5000, 10_000, false);
      assertEquals(1000, file.size());
      assertEquals(inside, Arrays.equals(new byte[500], content(500, 500)), "zeroed to the end");
    }

    @Test
    public void spaceIsSetAsideWithoutChangingAByteOrNothingIsDone() throws IOException {
      byte[] bytes = fill(1000);
      int size = file.allocate(500, 10_000) ? 10_500 : 1000;
      assertEquals(size, file.size());
      assertArrayEquals(Arrays.copyOf(bytes, size), content(0, size));
      file.allocate(0, 100);
      assertEquals(size, file.size());
      assertArrayEquals(Arrays.copyOf(bytes, size), content(0, size));
    }

    @Test
    public void dataIsNeverCalledAHole() throws IOException {
      file.resize(LARGE);
      byte[] bytes = random(5000);
      file.write(ByteBuffer.wrap(bytes), 100_000);
      file.zero(101_000, 1000, false);
      byte[] content = content(0, LARGE);

      for (long at = 0; at < LARGE; ) {
        long end = file.dataEnd(at, LARGE - at);
        assertTrue(Math.abs(end) > at && Math.abs(end) <= LARGE, "end " + end + " from " + at);
        if (end < 0) {
          assertArrayEquals(
              new byte[(int) (-end - at)],
              Arrays.copyOfRange(content, (int) at, (int) -end),
              "hole from " + at);
        }
        at = Math.abs(end);
      }
    }

    @Test
    public void dataOrHoleEndsWithinTheLimitAndBehindItsBeginningAlsoPastTheEnd()
        throws IOException {
      fill(1000);
      for (long at : new long[] {0, 999, 1000, 1001, 70_000, LARGE}) {
        for (long limit : new long[] {1, 7, LARGE}) {
          long end = Math.abs(file.dataEnd(at, limit));
          assertTrue(end > at && end <= at + limit, "end " + end + " from " + at);
        }
      }
      assertThrows(IllegalArgumentException.class, () -> file.dataEnd(0, 0));
    }
  }

  /** Arguments, durability, interrupts, the end. */
  @Nested
  public class Service {
    @Test
    public void negativeOffsetsAndLengthsAreRefused() {
      ByteBuffer buffer = ByteBuffer.allocate(1);
      assertThrows(IllegalArgumentException.class, () -> file.read(buffer, -1));
      assertThrows(IllegalArgumentException.class, () -> file.write(buffer, -1));
      assertThrows(IllegalArgumentException.class, () -> file.resize(-1));
      assertThrows(IllegalArgumentException.class, () -> file.zero(-1, 1, true));
      assertThrows(IllegalArgumentException.class, () -> file.zero(0, -1, true));
      assertThrows(IllegalArgumentException.class, () -> file.dataEnd(-1, 1));
    }

    @Test
    public void adviceChangesNothing() throws IOException {
      byte[] bytes = fill(5000);
      for (Advice advice : Advice.values()) {
        file.advise(advice, 0, 5000);
        file.advise(advice, 100, 0);
        file.advise(advice, 4000, 1L << 40);
        assertEquals(5000, file.size());
        assertArrayEquals(bytes, content(0, 5000));
      }
    }

    @Test
    public void flushKeepsWhatWasWrittenAndCanBeRepeated() throws IOException {
      byte[] bytes = fill(5000);
      file.flush();
      file.flush();
      assertArrayEquals(bytes, content(0, 5000));
    }

    @Test
    public void interruptFailsNothingAndStaysSet() throws IOException {
      byte[] bytes = random(5000);
      Thread.currentThread().interrupt();
      try {
        file.write(ByteBuffer.wrap(bytes), 0);
        assertArrayEquals(bytes, content(0, 5000));
        file.flush();
        file.resize(6000);
        assertEquals(6000, file.size());
        assertTrue(Thread.currentThread().isInterrupted());
      } finally {
        Thread.interrupted();
      }
      assertArrayEquals(bytes, content(0, 5000));
    }

    @Test
    public void closedFileRefusesEverything() throws IOException {
      fill(10);
      file.close();
      file.close();
      ByteBuffer buffer = ByteBuffer.allocate(1);
      assertThrows(ClosedChannelException.class, () -> file.read(buffer, 0));
      assertThrows(ClosedChannelException.class, () -> file.write(buffer, 0));
      assertThrows(ClosedChannelException.class, () -> file.size());
      assertThrows(ClosedChannelException.class, () -> file.resize(0));
      assertThrows(ClosedChannelException.class, () -> file.flush());
      assertThrows(ClosedChannelException.class, () -> file.zero(0, 1, true));
      assertThrows(ClosedChannelException.class, () -> file.dataEnd(0, 1));
    }

    @Test
    public void hasANameAndAKeyThatIsItsOwn() throws IOException {
      assertFalse(file.name().isEmpty());
      assertEquals(file.key(), file.key());
      assertTrue(file.canWrite());
    }

    @Test
    public void fileOpenedForReadingReadsAndRefusesChanges() throws IOException {
      byte[] bytes = fill(100);
      Optional<HostFile> reopened = reopenReadOnly();
      if (reopened.isEmpty()) {
        assertTrue(file.canWrite(), "such a file is always writable");
        return;
      }
      try (HostFile reader = reopened.orElseThrow()) {
        assertFalse(reader.canWrite());
        ByteBuffer dst = ByteBuffer.allocate(100);
        reader.readFully(dst, 0);
        assertArrayEquals(bytes, dst.array());
        assertEquals(file.key(), reader.key());
        ByteBuffer src = ByteBuffer.allocate(1);
        assertThrows(NonWritableChannelException.class, () -> reader.write(src, 0));
        assertThrows(NonWritableChannelException.class, () -> reader.resize(5));
        assertThrows(NonWritableChannelException.class, () -> reader.zero(0, 1, true));
        assertEquals(100, reader.size());
      }
    }
  }

  private byte[] fill(int length) throws IOException {
    byte[] bytes = random(length);
    file.write(ByteBuffer.wrap(bytes), 0);
    return bytes;
  }

  /** Bytes of which none is zero. */
  private static byte[] random(int length) {
    Random random = new Random(length);
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (1 + random.nextInt(255));
    }
    return bytes;
  }

  private byte[] content(long offset, int length) throws IOException {
    ByteBuffer dst = ByteBuffer.allocate(length);
    file.readFully(dst, offset);
    return dst.array();
  }
}
