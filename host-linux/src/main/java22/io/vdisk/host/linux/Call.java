package io.vdisk.host.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * A place for one system call at a time. While a call is in it, the place tells whose call it is,
 * so that nobody closes a descriptor under it, and takes the number of the call's error.
 *
 * <p>Places belong to no thread, because virtual ones may be many, and to no file: there are as
 * many as calls were ever under way at once. Who begins looks for a free place, beginning at one
 * that its thread is likely to find free: one atomic exchange, 6 ns.
 */
final class Call {
  /** The owner of calls that use no descriptor. */
  static final long NOBODY = -1;

  /** The owner of a place that is free. */
  private static final long FREE = 0;

  /** How many places are made at a time; a power of 2. */
  private static final int MORE = 64;

  /** From one owner to the next, so that no two share a pair of cache lines; in longs. */
  private static final int STRIDE = 16;

  private static final int STRIDE_BYTES = STRIDE * Long.BYTES;

  private static final long PAUSE_NANOS = 50_000;

  private static volatile Call[] calls = more(new Call[0]);

  private final AtomicLongArray owners;
  private final int index;
  private final MemorySegment errno;

  private Call(AtomicLongArray owners, int index, MemorySegment errno) {
    this.owners = owners;
    this.index = index;
    this.errno = errno;
  }

  private static Call[] more(Call[] before) {
    AtomicLongArray owners = new AtomicLongArray(MORE * STRIDE);
    MemorySegment errnos = Arena.global().allocate((long) MORE * STRIDE_BYTES, STRIDE_BYTES);
    Call[] after = Arrays.copyOf(before, before.length + MORE);
    for (int i = 0; i < MORE; i++) {
      MemorySegment errno = errnos.asSlice((long) i * STRIDE_BYTES, Integer.BYTES);
      after[before.length + i] = new Call(owners, i * STRIDE, errno);
    }
    return after;
  }

  /** Takes a place for a call of {@code owner}, until {@link #end}. */
  static Call begin(long owner) {
    long thread = Thread.currentThread().threadId();
    while (true) {
      Call[] all = calls;
      for (int i = 0; i < all.length; i++) {
        Call call = all[(int) ((thread + i) % all.length)];
        if (call.owners.compareAndSet(call.index, FREE, owner)) {
          return call;
        }
      }
      grow(all.length);
    }
  }

  private static synchronized void grow(int full) {
    if (calls.length == full) {
      calls = more(calls);
    }
  }

  /** Leaves the place. */
  void end() {
    owners.setRelease(index, FREE);
  }

  /**
   * Waits until no call of {@code owner} is under way. A call that begins afterwards must look
   * whether it may, after {@link #begin}; what it looks at must have been set before this.
   */
  static void awaitEnd(long owner) {
    boolean interrupted = false;
    for (Call call : calls) {
      while (call.owners.get(call.index) == owner) {
        interrupted |= Thread.interrupted(); // parked it would not
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  MemorySegment errno() {
    return errno;
  }

  /** The error of the call that failed last. */
  int errorNumber() {
    // An accessor of a layout would be linked for this, which costs at start-up.
    return errno.asByteBuffer().order(ByteOrder.nativeOrder()).getInt(0);
  }
}
