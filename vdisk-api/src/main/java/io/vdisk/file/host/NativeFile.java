package io.vdisk.file.host;

import io.vdisk.file.Advice;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * A file behind an operating system's descriptor: what {@code LocalFile} asks of it. Thread-safe;
 * no call is harmed by an interrupt.
 */
public interface NativeFile extends Closeable {
  /** Reads up to {@code dst.remaining()} bytes into a direct buffer; 0 at the end of the file. */
  int read(ByteBuffer dst, long offset) throws IOException;

  /** Writes up to {@code src.remaining()} bytes of a direct buffer. */
  int write(ByteBuffer src, long offset) throws IOException;

  /**
   * What offsets, lengths and memory of transfers must be multiples of, at most 4096: 1 unless it
   * was opened past the page cache.
   */
  default int alignment() {
    return 1;
  }

  /** Bytes of the file, or of the device. */
  long size() throws IOException;

  /** Cuts or grows the file. */
  void resize(long size) throws IOException;

  /** Makes data and size durable. */
  void flush() throws IOException;

  /** As {@code HostFile.zero}; false if the file system cannot. */
  boolean zero(long offset, long length, boolean keepSpace) throws IOException;

  /** As {@code HostFile.allocate}, of one byte at least. */
  default boolean allocate(long offset, long length) throws IOException {
    return false;
  }

  /** As {@code HostFile.share}, of a bare file, all or nothing; false if it cannot be. */
  default boolean share(NativeFile source, long sourceOffset, long offset, long length)
      throws IOException {
    return false;
  }

  /** The file of the operating system itself, where this one stands before it. */
  default NativeFile bare() {
    return this;
  }

  /** As {@code HostFile.dataEnd}. */
  long dataEnd(long offset, long limit) throws IOException;

  /** As {@code HostFile.advise}, of one byte at least. */
  default void advise(Advice advice, long offset, long length) throws IOException {}

  /** As {@code HostFile.allocatedSize}. */
  default OptionalLong allocatedSize() throws IOException {
    return OptionalLong.empty();
  }

  /**
   * Takes a lock on a range of bytes that conflicts with other processes' and, unlike POSIX locks,
   * is lost by nothing but {@link #close}.
   *
   * @return false if somebody else holds it
   */
  boolean lock(long offset, long length, boolean shared) throws IOException;

  /** Gives a range of bytes back. */
  void unlock(long offset, long length) throws IOException;
}
