package io.vdisk.host.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.Charset;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Numbers of errors, and the exceptions that they become. Source: asm-generic/errno.h. */
final class Errno {
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int ENXIO = 6;
  static final int EBADF = 9;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EBUSY = 16;
  static final int EXDEV = 18;
  static final int ENODEV = 19;
  static final int EINVAL = 22;
  static final int ENOTTY = 25;
  static final int ENOSYS = 38;
  static final int EOPNOTSUPP = 95;

  private Errno() {}

  /** The result of a system call, if it is no error. */
  static long check(long result) throws IOException {
    if (result < 0) {
      throw failure(result);
    }
    return result;
  }

  static IOException failure(long result) {
    return new IOException(message(result));
  }

  /** The same for a call that named a file. */
  static long check(long result, Path file) throws FileSystemException {
    if (result >= 0) {
      return result;
    }
    String name = file.toString();
    throw switch ((int) -result) {
      case ENOENT -> new NoSuchFileException(name);
      case EACCES -> new AccessDeniedException(name);
      default -> new FileSystemException(name, null, message(result));
    };
  }

  /** What the C library calls it, in the user's language, as {@code java.nio} does. */
  @SuppressWarnings("restricted")
  private static String message(long result) {
    try {
      MemorySegment text = (MemorySegment) Text.STRERROR.invokeExact((int) -result);
      return text.reinterpret(Integer.MAX_VALUE)
          .getString(0, Charset.forName(System.getProperty("native.encoding", "US-ASCII")));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("no function of C throws", e);
    }
  }

  /** Linked when the first message is asked for. */
  private static final class Text {
    /** Its text is a constant for every error that Linux knows: threads share it without harm. */
    @SuppressWarnings("restricted")
    static final MethodHandle STRERROR =
        Linker.nativeLinker()
            .downcallHandle(
                Linker.nativeLinker().defaultLookup().find("strerror").orElseThrow(),
                FunctionDescriptor.of(ADDRESS, JAVA_INT));
  }
}
