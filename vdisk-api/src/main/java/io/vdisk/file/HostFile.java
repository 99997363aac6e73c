package io.vdisk.file;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Bytes on the host that can grow: positional, without a cursor.
 *
 * <p>All methods may be called by many threads at once. Writes to ranges that do not overlap do not
 * disturb each other; of overlapping ones each byte is one writer's. An interrupt of the calling
 * thread fails nothing. Calls after {@link #close} are a {@link
 * java.nio.channels.ClosedChannelException}; changes of a file that was opened for reading are a
 * {@link java.nio.channels.NonWritableChannelException}; a negative offset or length is an {@link
 * IllegalArgumentException}.
 */
public interface HostFile extends Closeable {
  /**
   * Reads {@code min(dst.remaining(), size() - offset)} bytes, none at or past the end; never short
   * otherwise.
   *
   * @return bytes read, 0 or more; never -1
   */
  int read(ByteBuffer dst, long offset) throws IOException;

  /** Writes all of {@code src}; the file grows as needed, and a gap so made reads as zero. */
  void write(ByteBuffer src, long offset) throws IOException;

  /** Bytes in the file now. */
  long size() throws IOException;

  /**
   * Most bytes that it can hold, now: what is written past them is an {@link IOException}. {@code
   * Long.MAX_VALUE} where that is not known, as for files in a file system.
   */
  default long capacity() throws IOException {
    return Long.MAX_VALUE;
  }

  /** Cuts the file, or grows it by zeroes. */
  void resize(long size) throws IOException;

  /**
   * Makes data and size durable: all writes that completed before the call. Waits for a flush in
   * progress; free if nothing was written since the last one.
   *
   * @throws HostFlushException if that failed, now or ever before on this file
   */
  void flush() throws IOException;

  /** The file's name, for messages. */
  String name();

  /** Whether it was opened for writing. */
  default boolean canWrite() {
    return true;
  }

  /**
   * Whether locks are kept for it, and hence for what it names. Also true where there is nobody to
   * be locked out.
   */
  default boolean isLocked() {
    return true;
  }

  /** What becomes of the page cache here, and hence with what it names. */
  default PageCache pageCache() {
    return PageCache.USED;
  }

  /** The same file has an equal key, however it was opened: for finding loops and for locks. */
  default Object key() {
    return this;
  }

  /** Where it lies, if it lies in a file system. */
  default Optional<Path> path() {
    return Optional.empty();
  }

  /**
   * Makes a range read as zero if that is cheaper than writing zeroes. Never grows the file: bytes
   * past the end are left out.
   *
   * @param keepSpace whether the range stays allocated on the host
   * @return false if it is not cheaply possible; nothing was done then
   */
  default boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    return false;
  }

  /**
   * Sets host space aside for a range if that is cheaper than writing: what is written there later
   * finds space. No byte changes; a file that was shorter grows to the end of the range, by zeroes.
   *
   * @return false if it is not cheaply possible; nothing was done then
   */
  default boolean allocate(long offset, long length) throws IOException {
    return false;
  }

  /**
   * Takes a range of another file over by sharing its blocks, without moving bytes. Grows the file
   * as writing would.
   *
   * @return bytes taken, from the beginning of the range on; 0 if that is not possible
   */
  default long share(HostFile source, long sourceOffset, long offset, long length)
      throws IOException {
    return 0;
  }

  /**
   * Where the data at {@code offset} ends, or the hole.
   *
   * @param limit most bytes to look at, at least 1
   * @return above {@code offset}: data from {@code offset} up to there; otherwise a hole from
   *     {@code offset} up to minus the result. A host that does not know says "all data"
   */
  default long dataEnd(long offset, long limit) throws IOException {
    return offset + limit;
  }

  /** Bytes that it occupies on the host; empty where that is not known. */
  default OptionalLong allocatedSize() throws IOException {
    return OptionalLong.empty();
  }

  /** Tells the host how a range is going to be used; it may ignore that. */
  default void advise(Advice advice, long offset, long length) throws IOException {}

  /**
   * Fills {@code dst}: for metadata, which must be there.
   *
   * @throws EOFException if the file ends before
   */
  default void readFully(ByteBuffer dst, long offset) throws IOException {
    int wanted = dst.remaining();
    if (read(dst, offset) < wanted) {
      throw new EOFException(
          name() + " ends at " + size() + ", within " + wanted + " bytes at " + offset);
    }
  }

  /** Fills {@code dst}, with zeroes past the end of the file: for guest data. */
  default void readPadded(ByteBuffer dst, long offset) throws IOException {
    read(dst, offset);
    while (dst.hasRemaining()) {
      Zeroes.fill(dst);
    }
  }

  /** Opens a file or block device for reading; locked as the library's images are. */
  static HostFile of(Path path) throws IOException {
    return LocalFile.open(path, false);
  }

  /**
   * Presents a channel, which stays the caller's and must not be used by anyone else meanwhile. One
   * lock around position and transfer; nothing is closed but the use of it.
   */
  static HostFile of(SeekableByteChannel channel) {
    return new ChannelFile(channel);
  }
}
