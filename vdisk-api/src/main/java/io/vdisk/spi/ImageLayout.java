package io.vdisk.spi;

import io.vdisk.ImageInfo;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Where the bytes of one open image live. Never moves guest data.
 *
 * <p>Called by many threads at once. The engine has checked that ranges lie inside the virtual disk
 * and are not empty. It calls inside a slot of its gate, so that host space that an answer names
 * keeps its bytes until the caller is done.
 */
public interface ImageLayout extends Closeable {
  /** What the image says of itself now. */
  ImageInfo info();

  /**
   * Says where the run of guest bytes that starts at {@code offset} lives: the longest one that the
   * table slice in memory shows to be contiguous in the same host file, at most {@code length}
   * bytes. Does no I/O beyond what {@code offset} itself needs.
   *
   * <p>What has no host space is {@link Mapping#backing}, also where the image has no backing file:
   * the engine reads zeroes there.
   */
  Mapping map(long offset, long length) throws IOException;

  /** Where the allocation unit around {@code offset} begins. */
  default long unitStart(long offset) {
    return offset - offset % info().unit();
  }

  /** Where the allocation unit around {@code offset} ends; may be past the end of the disk. */
  default long unitEnd(long offset) {
    return unitStart(offset) + info().unit();
  }

  /**
   * The smallest piece whose state is recorded: a subcluster, a sector of a VHD block; by default
   * the unit. A power of two.
   */
  default long granule() {
    return info().unit();
  }

  /**
   * Decompresses the whole unit that an encoded mapping names.
   *
   * @param unit filled from position to limit; its size is that of the unit
   */
  default void decode(Mapping encoded, ByteBuffer unit) throws IOException {
    throw new IllegalStateException(info().format() + " has no encoded units");
  }

  /** The cipher of stored data; the same at every call; empty: data is stored as it is. */
  default Optional<SectorCipher> cipher() {
    return Optional.empty();
  }

  /**
   * What this format can do beyond {@code BlockDevice}. A feature that changes tables or needs them
   * still runs inside {@code exclusive}.
   */
  default <T> Optional<T> feature(Class<T> type, Exclusive exclusive) {
    return Optional.empty();
  }

  /**
   * Forgets what is in memory of tables and header, changed or not, and reads it again when it is
   * needed: somebody was alone on the device.
   */
  default void reload() throws IOException {}

  /** Releases memory. Host files are the context's. No other call follows. */
  @Override
  default void close() throws IOException {}
}
