package io.vdisk.bench.engine;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/** Files by the system's own calls, as C would read them. */
final class SystemCalls implements Disk {
  private static final int READ_ONLY = 0;
  private static final int READ_WRITE = 2;

  /** O_DIRECT, past the page cache. Source: asm/fcntl.h. */
  private static final int DIRECT =
      System.getProperty("os.arch").equals("aarch64") ? 0x1_0000 : 0x4000;

  private static final MethodHandle OPEN =
      link(
          "open",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle PREAD = link("pread64", transfer());
  private static final MethodHandle PWRITE = link("pwrite64", transfer());
  private static final MethodHandle CLOSE =
      link("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

  private final Path file;
  private final int descriptor;
  private final Places places;
  private final MemorySegment zeroes;

  private SystemCalls(Path file, int descriptor, Places places) {
    this.file = file;
    this.descriptor = descriptor;
    this.places = places;
    this.zeroes = Arena.ofAuto().allocate(LARGEST, PAGE);
  }

  /** Opens a file that exists. */
  interface Opener {
    Disk open(Path file, boolean writable, boolean direct, Places places) throws IOException;
  }

  static Optional<Opener> opener() {
    return Optional.of(SystemCalls::open);
  }

  private static FunctionDescriptor transfer() {
    return FunctionDescriptor.of(
        ValueLayout.JAVA_LONG,
        ValueLayout.JAVA_INT,
        ValueLayout.ADDRESS,
        ValueLayout.JAVA_LONG,
        ValueLayout.JAVA_LONG);
  }

  @SuppressWarnings("restricted")
  private static MethodHandle link(String name, FunctionDescriptor type, Linker.Option... options) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), type, options);
  }

  private static Disk open(Path file, boolean writable, boolean direct, Places places)
      throws IOException {
    int flags = (writable ? READ_WRITE : READ_ONLY) | (direct ? DIRECT : 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(file.toString());
      int descriptor = (int) OPEN.invokeExact(name, flags);
      if (descriptor < 0) {
        throw new IOException("open of " + file + " failed");
      }
      return new SystemCalls(file, descriptor, places);
    } catch (Throwable e) {
      throw thrown(e);
    }
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    MemorySegment buffer = MemorySegment.ofBuffer(dst);
    try {
      long done =
          (long) PREAD.invokeExact(descriptor, buffer, buffer.byteSize(), places.at(offset));
      check(done, buffer, "pread");
    } catch (Throwable e) {
      throw thrown(e);
    }
    dst.position(dst.limit());
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    write(MemorySegment.ofBuffer(src), offset);
    src.position(src.limit());
  }

  @Override
  public void zero(long offset, int length) throws IOException {
    write(zeroes.asSlice(0, length), offset);
  }

  private void write(MemorySegment buffer, long offset) throws IOException {
    try {
      long done =
          (long) PWRITE.invokeExact(descriptor, buffer, buffer.byteSize(), places.at(offset));
      check(done, buffer, "pwrite");
    } catch (Throwable e) {
      throw thrown(e);
    }
  }

  private void check(long done, MemorySegment buffer, String call) throws IOException {
    if (done != buffer.byteSize()) {
      throw new IOException(call + " of " + file + " moved " + done + " bytes");
    }
  }

  @Override
  public void close() throws IOException {
    try {
      if ((int) CLOSE.invokeExact(descriptor) != 0) {
        throw new IOException("close of " + file + " failed");
      }
    } catch (Throwable e) {
      throw thrown(e);
    }
  }

  private static IOException thrown(Throwable e) {
    return e instanceof IOException trouble ? trouble : new IOException(e);
  }
}
