package io.vdisk.host.linux;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An open file of the kernel's. Any thread may call. Its number is given back only when no call
 * uses it any more: the kernel gives it to the next file that is opened, and a late call would read
 * or write that one.
 */
final class Descriptor implements Closeable {
  /** Paths are relative to the working directory. Source: linux/fcntl.h, as the flags below. */
  private static final int AT_FDCWD = -100;

  private static final int O_RDWR = 2;
  private static final int O_NONBLOCK = 0x800;
  private static final int O_CLOEXEC = 0x8_0000;

  // Source: linux/mman.h.
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_SHARED = 1;

  private static final long FICLONERANGE = 0x4020_940dL;
  private static final long CLONE_BYTES = 32;

  private static final AtomicLong OWNERS = new AtomicLong();

  private final int number;

  /** Unlike the number never used again. */
  private final long owner = OWNERS.incrementAndGet();

  private final AtomicBoolean refused = new AtomicBoolean();
  private final AtomicBoolean closed = new AtomicBoolean();

  private Descriptor(int number) {
    this.number = number;
  }

  /**
   * Opens a file that exists. A pipe, which the name may lead to by now, is opened too, and not
   * waited for until somebody writes to it. A file that a server has lent out is: its lease is
   * called back meanwhile.
   *
   * @param more flags beside those for reading and writing
   */
  static Descriptor open(Path path, boolean writable, int more) throws IOException {
    int flags = O_CLOEXEC | more | (writable ? O_RDWR : 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = PathName.of(path, arena);
      long number = SystemCall.OPENAT.run(AT_FDCWD, name, flags | O_NONBLOCK, 0, 0);
      if (number == -Errno.EAGAIN) {
        number = SystemCall.OPENAT.run(AT_FDCWD, name, flags, 0, 0);
      }
      return new Descriptor((int) Errno.check(number, path));
    }
  }

  /** A counter of the kernel's that can be waited for, beginning at 0. */
  static Descriptor eventCounter() throws IOException {
    long number =
        SystemCall.EVENTFD2.run(0, MemorySegment.ofAddress(O_NONBLOCK | O_CLOEXEC), 0, 0, 0);
    return new Descriptor((int) Errno.check(number));
  }

  /**
   * Waits until this descriptor or another one is ready.
   *
   * @param polled two {@code struct pollfd}, of which the descriptors are filled in here
   */
  long poll(Descriptor other, MemorySegment polled) throws ClosedChannelException {
    Call place = begin();
    try {
      polled
          .asByteBuffer()
          .order(ByteOrder.nativeOrder())
          .putInt(0, number)
          .putInt(Long.BYTES, other.number);
      return SystemCall.PPOLL.run(place, polled.address(), MemorySegment.ofAddress(2), 0, 0, 0, 0);
    } finally {
      place.end();
    }
  }

  /** Maps memory of this file, shared, for reading and writing; its address. */
  long map(long offset, long length) throws ClosedChannelException {
    Call place = begin();
    try {
      MemorySegment size = MemorySegment.ofAddress(length);
      return SystemCall.MMAP.run(place, 0, size, PROT_READ_WRITE, MAP_SHARED, number, offset);
    } finally {
      place.end();
    }
  }

  /** Makes a call whose first argument is this descriptor, and its second memory. */
  long call(SystemCall call, MemorySegment second, long third, long fourth, long fifth)
      throws ClosedChannelException {
    Call place = begin();
    try {
      return call.run(place, number, second, third, fourth, fifth, 0);
    } finally {
      place.end();
    }
  }

  /** Makes a call whose first argument is this descriptor. */
  long call(SystemCall call, long second, long third, long fourth) throws ClosedChannelException {
    return call(call, MemorySegment.ofAddress(second), third, fourth, 0);
  }

  /**
   * Shares the blocks of a range of another file: {@code struct file_clone_range}, 32 bytes in
   * native order: descriptor (8 bytes at 0), offset there (8 at 8), length (8 at 16), offset here
   * (8 at 24). Source: ioctl_ficlonerange(2), linux/fs.h.
   */
  long cloneRange(Descriptor source, long sourceOffset, long offset, long length)
      throws ClosedChannelException {
    Call sourcesPlace = source.begin();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment range = arena.allocate(CLONE_BYTES, Long.BYTES);
      range
          .asByteBuffer()
          .order(ByteOrder.nativeOrder())
          .putLong(source.number)
          .putLong(sourceOffset)
          .putLong(length)
          .putLong(offset);
      return call(SystemCall.IOCTL, FICLONERANGE, range.address(), 0);
    } finally {
      sourcesPlace.end();
    }
  }

  private Call begin() throws ClosedChannelException {
    Call place = Call.begin(owner);
    if (refused.get()) {
      place.end();
      throw new ClosedChannelException();
    }
    return place;
  }

  /** Lets no further call begin. */
  void refuse() {
    refused.set(true);
  }

  /** Waits for calls that are under way. */
  @Override
  public void close() throws IOException {
    refuse();
    if (!closed.getAndSet(true)) {
      Call.awaitEnd(owner);
      long result = SystemCall.CLOSE.run(number, MemorySegment.NULL, 0, 0, 0);
      if (result != -Errno.EINTR) {
        Errno.check(result);
      }
    }
  }
}
