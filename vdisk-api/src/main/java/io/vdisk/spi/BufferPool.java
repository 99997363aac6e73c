package io.vdisk.spi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Direct buffers for data on its way. Any thread may call.
 *
 * <p>A buffer belongs to whoever acquired it, until it is released; one that is never released is
 * left to the garbage collector. Its bytes are those of its last use. The memory of a buffer begins
 * at a multiple of 4096, which is what direct host I/O asks for.
 */
public final class BufferPool {
  /** The largest buffer, in bytes: whoever has more to move does it in pieces. */
  public static final int MAX_SIZE = 1 << 20;

  /** Bytes that wait for their next use at most: eight pieces of the largest size. */
  private static final long KEPT = 8L * MAX_SIZE;

  /** The smallest buffer, in bytes, and the alignment of all: a page. */
  private static final int MIN_SIZE = 4096;

  private final long most;
  private final ReentrantLock lock = new ReentrantLock();

  // Under lock. One stack for each power of two from MIN_SIZE to MAX_SIZE.
  private final List<ArrayDeque<ByteBuffer>> kept = new ArrayList<>();
  private long keptBytes;

  /** A pool that keeps up to 8 MiB. */
  public BufferPool() {
    this(KEPT);
  }

  BufferPool(long most) {
    this.most = most;
    for (int size = MIN_SIZE; size <= MAX_SIZE; size <<= 1) {
      kept.add(new ArrayDeque<>());
    }
  }

  /**
   * A direct buffer with position 0, limit {@code size} (at most {@link #MAX_SIZE}) and big-endian
   * order; its capacity may be larger.
   */
  public ByteBuffer acquire(int size) {
    if (size < 0 || size > MAX_SIZE) {
      throw new IllegalArgumentException("not a buffer's size: " + size);
    }
    int capacity = Math.max(MIN_SIZE, Integer.highestOneBit(Math.max(1, 2 * size - 1)));
    ByteBuffer buffer = take(capacity);
    if (buffer == null) {
      buffer = ByteBuffer.allocateDirect(capacity + MIN_SIZE - 1).alignedSlice(MIN_SIZE);
      buffer = buffer.slice(0, capacity);
    }
    return buffer.clear().limit(size).order(ByteOrder.BIG_ENDIAN);
  }

  /** Takes back the buffer that {@link #acquire} returned: itself, not a slice, and once. */
  public void release(ByteBuffer buffer) {
    int capacity = buffer.capacity();
    if (!buffer.isDirect()
        || buffer.isReadOnly()
        || Integer.bitCount(capacity) != 1
        || capacity < MIN_SIZE
        || capacity > MAX_SIZE) {
      throw new IllegalArgumentException("not from a pool: " + buffer);
    }
    lock.lock();
    try {
      ArrayDeque<ByteBuffer> sameSize = kept.get(index(capacity));
      assert !contains(sameSize, buffer) : "released twice";
      makeRoom(capacity);
      if (keptBytes + capacity <= most) {
        sameSize.push(buffer);
        keptBytes += capacity;
      }
    } finally {
      lock.unlock();
    }
  }

  private @Nullable ByteBuffer take(int capacity) {
    lock.lock();
    try {
      ByteBuffer buffer = kept.get(index(capacity)).poll();
      if (buffer != null) {
        keptBytes -= capacity;
      }
      return buffer;
    } finally {
      lock.unlock();
    }
  }

  /** Small buffers displace larger ones: a few large ones would keep out all the others. */
  private void makeRoom(int capacity) {
    for (int larger = MAX_SIZE; larger > capacity; larger >>= 1) {
      ArrayDeque<ByteBuffer> buffers = kept.get(index(larger));
      while (keptBytes + capacity > most && buffers.poll() != null) {
        keptBytes -= larger;
      }
    }
  }

  @SuppressWarnings("ReferenceEquality") // two buffers are equal if their bytes are
  private static boolean contains(ArrayDeque<ByteBuffer> buffers, ByteBuffer buffer) {
    return buffers.stream().anyMatch(b -> b == buffer);
  }

  private static int index(int capacity) {
    return Integer.numberOfTrailingZeros(capacity / MIN_SIZE);
  }
}
