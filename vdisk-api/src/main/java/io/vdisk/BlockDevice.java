package io.vdisk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;

/**
 * A fixed-size array of bytes, as a guest sees its disk.
 *
 * <p>All methods may be called by many threads at once. Two requests whose ranges overlap and that
 * run at the same time take effect in either order, sector by sector; a request that begins after
 * another one returned sees all of it. An interrupt of the calling thread neither fails a request
 * nor harms the device.
 *
 * <p>Errors common to all requests: a range that is not inside {@code [0, size())} is an {@link
 * IndexOutOfBoundsException} and nothing is done; a change of a device that was opened read-only is
 * a {@link java.nio.channels.NonWritableChannelException}; a request after {@link #close} is a
 * {@link java.nio.channels.ClosedChannelException}; an image that contradicts its format is an
 * {@link ImageException}; trouble of the host is the host's {@link IOException}. After a host flush
 * has failed, nobody knows what the disk holds: every later change and {@link #flush} fails, reads
 * go on.
 *
 * <p>A buffer that was passed in belongs to the caller; the device keeps no reference to it. After
 * a successful transfer its position equals its limit; after a failed one the position is
 * undefined.
 */
public interface BlockDevice extends Closeable {
  /** What the image says of itself, as of the moment of the call. */
  ImageInfo info();

  /** The virtual size in bytes; at least 0. Changes by {@code Resizing} only. */
  long size();

  /** What can be asked of this device; constant while it is open. */
  Set<Capability> capabilities();

  /** Fills {@code dst.remaining()} bytes from {@code offset} on; never short. */
  void read(ByteBuffer dst, long offset) throws IOException;

  /**
   * Writes {@code src.remaining()} bytes from {@code offset} on; never short. Readers see the bytes
   * when the call returns; they survive a power cut once a later {@link #flush} returned.
   */
  void write(ByteBuffer src, long offset) throws IOException;

  /** Makes the range read as zero, as cheaply as the format can; durable as a write is. */
  void writeZeroes(long offset, long length) throws IOException;

  /**
   * Says that nobody needs the range any longer. Afterwards each byte reads as before or as zero,
   * never as the backing file's.
   */
  void discard(long offset, long length) throws IOException;

  /** Returns when every change that completed before the call would survive a power cut. */
  void flush() throws IOException;

  /**
   * What lies at {@code offset}: an extent that begins there.
   *
   * @param limit most bytes to look at, at least 1; {@code offset + limit <= size()}
   * @return an extent with {@code offset() == offset} and {@code 0 < length() <= limit}; the next
   *     one may be of the same kind
   */
  Extent extentAt(long offset, long limit) throws IOException;

  /**
   * The extents of a range: ascending, without gaps, neighbours of one kind and place merged. Each
   * iteration asks {@link #extentAt} anew; trouble while iterating is an {@link
   * java.io.UncheckedIOException}.
   */
  default Iterable<Extent> extents(long offset, long length) {
    java.util.Objects.checkFromIndexSize(offset, length, size());
    return () -> new MergedExtents(this, offset, length);
  }

  /**
   * What only some formats can do ({@code io.vdisk.feature}); empty if this one cannot, or not as
   * it was opened.
   */
  default <T> Optional<T> feature(Class<T> type) {
    return Optional.empty();
  }

  /**
   * Flushes a writable device and releases everything that the library opened for it. Waits for
   * requests in progress. A second call does nothing. Resources are released also when the flush
   * fails; its exception is then thrown.
   */
  @Override
  void close() throws IOException;
}
