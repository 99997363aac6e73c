package io.vdisk.host.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The system calls, all through one function of the C library, {@code syscall}: each function that
 * is linked costs 5 ms at start-up, and the first one 50. It is no slower than {@code pread} (4 KiB
 * from the page cache, CPU time), needs no C library that knows a young call, and leaves {@code
 * struct} layouts to the kernel, which has one for all 64-bit processors.
 *
 * <p>A result is what the kernel returns: 0 or more, or minus the number of the error. A call that
 * a signal broke off is repeated.
 */
enum SystemCall {
  CLOSE(3, 57),
  EVENTFD2(290, 19),
  FADVISE64(221, 223),
  FALLOCATE(285, 47),
  FCNTL(72, 25),
  FDATASYNC(75, 83),
  FTRUNCATE(77, 46),
  IOCTL(16, 29),
  LSEEK(8, 62),
  MMAP(9, 222),
  MUNMAP(11, 215),
  OPENAT(257, 56),
  PPOLL(271, 73),
  PREAD64(17, 67),
  PWRITE64(18, 68),
  READ(0, 63),
  STATX(332, 291),
  SYNC_FILE_RANGE(277, 84),
  WRITE(1, 64);

  private static final MethodHandle SYSCALL = link();

  private final long number;

  SystemCall(long amd64, long aarch64) {
    boolean isAmd64 = Processor.CURRENT.orElseThrow() == Processor.AMD64;
    this.number = isAmd64 ? amd64 : aarch64;
  }

  @SuppressWarnings("restricted") // LinuxSystem.isAvailable asked whether native access is enabled
  private static MethodHandle link() {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().find("syscall").orElseThrow(),
        FunctionDescriptor.of(
            JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
        Linker.Option.captureCallState("errno"));
  }

  /** Makes this call, which uses no descriptor that could be closed meanwhile. */
  long run(long first, MemorySegment second, long third, long fourth, long fifth) {
    Call call = Call.begin(Call.NOBODY);
    try {
      return run(call, first, second, third, fourth, fifth, 0);
    } finally {
      call.end();
    }
  }

  /**
   * Makes this call.
   *
   * @param call takes the number of an error
   * @param first a descriptor in most of them
   * @param second memory, or a number as an address
   */
  long run(
      Call call,
      long first,
      MemorySegment second,
      long third,
      long fourth,
      long fifth,
      long sixth) {
    long result;
    do {
      result = invoke(call, first, second, third, fourth, fifth, sixth);
    } while (result == -Errno.EINTR && this != CLOSE); // Linux has closed it all the same
    return result;
  }

  private long invoke(
      Call call,
      long first,
      MemorySegment second,
      long third,
      long fourth,
      long fifth,
      long sixth) {
    try {
      long result =
          (long)
              SYSCALL.invokeExact(call.errno(), number, first, second, third, fourth, fifth, sixth);
      return result == -1 ? -call.errorNumber() : result;
    } catch (RuntimeException | Error e) {
      throw e; // such as a segment whose arena is closed
    } catch (Throwable e) {
      throw new AssertionError("no function of C throws", e);
    }
  }
}
