package io.vdisk.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.spi.Stage.Act;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BufferPoolTest {
  private static final int KIB = 1024;
  private static final int MIB = 1024 * KIB;

  private final BufferPool pool = new BufferPool();

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 511, 4096, 4097, 65_536, 65_537, MIB - 1, MIB})
  void aBufferHasTheSizeAskedFor(int size) {
    ByteBuffer buffer = pool.acquire(size);

    assertTrue(buffer.isDirect());
    assertEquals(0, buffer.position());
    assertEquals(size, buffer.limit());
    assertEquals(0, buffer.alignmentOffset(0, 4096));
    assertTrue(buffer.capacity() < 2 * Math.max(size, 4096));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, MIB + 1, Integer.MIN_VALUE, Integer.MAX_VALUE})
  void noBufferHasAnotherSize(int size) {
    assertThrows(IllegalArgumentException.class, () -> pool.acquire(size));
  }

  @Test
  void aReleasedBufferIsUsedAgain() {
    ByteBuffer buffer = pool.acquire(60 * KIB);
    buffer.position(7).limit(9).order(ByteOrder.LITTLE_ENDIAN);
    pool.release(buffer);

    ByteBuffer again = pool.acquire(40 * KIB);
    assertSame(buffer, again);
    assertEquals(0, again.position());
    assertEquals(40 * KIB, again.limit());
    assertEquals(ByteOrder.BIG_ENDIAN, again.order());
  }

  @Test
  void aBufferInUseIsNobodyElses() {
    assertNotSame(pool.acquire(MIB), pool.acquire(MIB));
  }

  @Test
  void noMoreIsKeptThanAllowed() {
    BufferPool small = new BufferPool(2 * MIB);
    List<ByteBuffer> buffers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      buffers.add(small.acquire(MIB));
    }
    buffers.forEach(small::release);

    assertSame(buffers.get(1), small.acquire(MIB));
    assertSame(buffers.get(0), small.acquire(MIB));
    assertTrue(buffers.stream().noneMatch(b -> b == small.acquire(MIB)));
  }

  @Test
  void smallBuffersDisplaceLargeOnes() {
    BufferPool small = new BufferPool(2 * MIB);
    ByteBuffer[] large = {small.acquire(MIB), small.acquire(MIB)};
    ByteBuffer page = small.acquire(4 * KIB);
    small.release(large[0]);
    small.release(large[1]);
    small.release(page);

    assertSame(page, small.acquire(4 * KIB));
    assertSame(large[0], small.acquire(MIB));
    assertNotSame(large[1], small.acquire(MIB));
  }

  @Test
  void whatIsTakenMakesRoom() {
    BufferPool small = new BufferPool(MIB);
    ByteBuffer first = small.acquire(MIB);
    ByteBuffer second = small.acquire(MIB);
    small.release(first);
    assertSame(first, small.acquire(MIB));
    small.release(second);

    assertSame(second, small.acquire(MIB));
  }

  @Test
  void aForeignBufferIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> pool.release(ByteBuffer.allocate(4 * KIB)));
    assertThrows(
        IllegalArgumentException.class, () -> pool.release(ByteBuffer.allocateDirect(5000)));
    assertThrows(
        IllegalArgumentException.class, () -> pool.release(ByteBuffer.allocateDirect(2 * MIB)));
    assertThrows(IllegalArgumentException.class, () -> pool.release(pool.acquire(100).slice()));
  }

  @Test
  void aBufferIsReleasedOnce() {
    ByteBuffer buffer = pool.acquire(100);
    pool.release(buffer);

    assertThrows(AssertionError.class, () -> pool.release(buffer));
  }

  @Test
  void noTwoThreadsHoldTheSameBuffer() throws Exception {
    List<Act<Void>> acts = new ArrayList<>();
    for (long mark = 1; mark <= 4; mark++) {
      long own = mark;
      acts.add(Stage.run(() -> useMarked(own)));
    }
    for (Act<Void> act : acts) {
      act.result();
    }
  }

  private void useMarked(long mark) {
    for (int i = 0; i < 5_000; i++) {
      ByteBuffer buffer = pool.acquire(4 * KIB << (i % 3));
      buffer.putLong(0, mark);
      if (i % 8 == 0) {
        Thread.yield();
      }
      assertEquals(mark, buffer.getLong(0));
      pool.release(buffer);
    }
  }
}
