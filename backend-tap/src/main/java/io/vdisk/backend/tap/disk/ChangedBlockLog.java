package io.vdisk.backend.tap.disk;

import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Which blocks of 64 KiB were changed, as {@code cbt-util} makes and reads it. Little endian:
 *
 * <pre>
 *  0  16  id of the log's parent
 * 16  16  id of its child
 * 32   4  whether it is consistent, 0 or 1
 * 36   4  not used
 * 40   8  size of the disk, bytes
 * 48   n  one bit for each block, the lowest bit of a byte first; n = ceil(blocks / 8)
 * </pre>
 *
 * <p>Source: include/cbt-util.h of blktap. It keeps, for those who back up what changed:
 *
 * <ol>
 *   <li>A bit is in the file before its block is changed: if this process ends, the host has it.
 *   <li>Bits are on the disk before a flush of the guest returns.
 *   <li>The log is marked inconsistent, durably, before the first change, and is marked consistent
 *       again only when it was so at the beginning and all was closed without an error: after a
 *       power cut nobody takes it for complete. Whoever opens it inconsistent, as xapi's storage
 *       manager does, marks it himself.
 *   <li>Where a bit cannot be written, the guest's change fails.
 * </ol>
 *
 * <p>Any thread may call; {@link #grow} and {@link #close} while nobody else does.
 */
final class ChangedBlockLog {
  /** Bytes of a block. */
  static final int BLOCK = 64 << 10;

  private static final int CONSISTENT = 32;
  private static final int SIZE = 40;
  private static final int HEADER = 48;

  /** Most bytes of a bitmap: ours, enough for a disk of 128 TiB. */
  private static final long MOST_BITMAP = 1 << 28;

  /** Bytes of the bitmap that are moved at a time; a multiple of 8. */
  private static final int STEP = 64 << 10;

  private final HostFile file;
  private final boolean wasConsistent;
  private volatile long size;
  private volatile AtomicLongArray bits; // what the file has; set under the monitor

  private ChangedBlockLog(HostFile file, long size, boolean wasConsistent) {
    this.file = file;
    this.size = size;
    this.wasConsistent = wasConsistent;
    this.bits = new AtomicLongArray(words(size));
  }

  /**
   * Opens the log of a disk.
   *
   * @param diskSize bytes; the log must be of a disk of that size
   */
  static ChangedBlockLog open(Path path, long diskSize) throws IOException {
    HostFile file = LocalFile.open(path, true);
    try {
      return open(file, diskSize);
    } catch (IOException | RuntimeException | Error e) {
      try (file) {
        throw e;
      }
    }
  }

  /** The same of a file that is owned from here on, unless this fails. */
  static ChangedBlockLog open(HostFile file, long diskSize) throws IOException {
    if (file.size() < HEADER) {
      throw trouble(file, "it has " + file.size() + " bytes, less than the header's " + HEADER);
    }
    ByteBuffer header = buffer(HEADER);
    file.readFully(header, 0);
    long size = header.getLong(SIZE);
    if (size != diskSize) {
      throw trouble(file, "it is of a disk of " + size + " bytes, and this one has " + diskSize);
    }
    long bitmap = bitmapBytes(size);
    if (bitmap > MOST_BITMAP || file.size() < HEADER + bitmap) {
      throw trouble(file, "its bitmap has " + bitmap + " bytes, and the file has " + file.size());
    }
    ChangedBlockLog log = new ChangedBlockLog(file, size, header.getInt(CONSISTENT) != 0);
    log.load();
    if (log.wasConsistent) {
      log.writeConsistent(0);
    }
    return log;
  }

  private static DiskException trouble(HostFile file, String what) {
    return new DiskException(Errno.EINVAL, file.name() + ", a log of changed blocks: " + what);
  }

  private static long bitmapBytes(long size) {
    long blocks = size / BLOCK + (size % BLOCK == 0 ? 0 : 1);
    return (blocks + 7) / 8;
  }

  private static int words(long size) {
    return (int) ((bitmapBytes(size) + Long.BYTES - 1) / Long.BYTES);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void load() throws IOException {
    ByteBuffer buffer = buffer(STEP);
    long bytes = bitmapBytes(size);
    for (long at = 0; at < bytes; at += STEP) {
      int length = (int) Math.min(STEP, bytes - at);
      buffer.clear().limit(length);
      file.readFully(buffer, HEADER + at);
      buffer.clear();
      for (int i = length; i % Long.BYTES != 0; i++) {
        buffer.put(i, (byte) 0);
      }
      for (int i = 0; i < length; i += Long.BYTES) {
        bits.set((int) ((at + i) / Long.BYTES), buffer.getLong(i));
      }
    }
  }

  /** The file's name. */
  String name() {
    return file.name();
  }

  /** Records that a range is about to be changed. */
  void mark(long offset, long length) throws IOException {
    if (length <= 0) {
      return;
    }
    long first = offset / BLOCK;
    long last = (offset + length - 1) / BLOCK;
    if (!isMarked(first, last)) {
      add(first, last);
    }
  }

  private boolean isMarked(long first, long last) {
    for (int word = (int) (first / Long.SIZE); word <= last / Long.SIZE; word++) {
      long mask = mask(word, first, last);
      if ((bits.get(word) & mask) != mask) {
        return false;
      }
    }
    return true;
  }

  /** Those bits of a word that are of the blocks from the first to the last. */
  private static long mask(int word, long first, long last) {
    long low = Math.max(0, first - (long) word * Long.SIZE);
    long high = Math.min(Long.SIZE - 1, last - (long) word * Long.SIZE);
    return (-1L << low) & (-1L >>> (Long.SIZE - 1 - high));
  }

  /** To the file first, so that whoever finds the bit set may go on. */
  private synchronized void add(long first, long last) throws IOException {
    int end = (int) (last / Long.SIZE);
    int stepWords = STEP / Long.BYTES;
    for (int word = (int) (first / Long.SIZE); word <= end; word += stepWords) {
      int count = Math.min(stepWords, end - word + 1);
      ByteBuffer words = buffer(count * Long.BYTES);
      for (int i = 0; i < count; i++) {
        words.putLong(bits.get(word + i) | mask(word + i, first, last));
      }
      words.flip();
      long at = (long) word * Long.BYTES;
      words.limit((int) Math.min(words.limit(), bitmapBytes(size) - at));
      file.write(words, HEADER + at);
      for (int i = 0; i < count; i++) {
        bits.set(word + i, bits.get(word + i) | mask(word + i, first, last));
      }
    }
  }

  /** Makes what was recorded durable; free if nothing was since the last time. */
  void flush() throws IOException {
    file.flush();
  }

  /** The disk has another size; what it grew by has not changed yet. */
  synchronized void grow(long newSize) throws IOException {
    long bytes = bitmapBytes(newSize);
    if (bytes > MOST_BITMAP) {
      throw trouble(file, "a disk of " + newSize + " bytes is too large for it");
    }
    if (file.size() < HEADER + bytes) {
      file.resize(HEADER + bytes);
    }
    AtomicLongArray grown = new AtomicLongArray(words(newSize));
    for (int i = 0; i < Math.min(grown.length(), bits.length()); i++) {
      grown.set(i, bits.get(i));
    }
    file.write(buffer(Long.BYTES).putLong(0, newSize), SIZE);
    file.flush();
    bits = grown;
    size = newSize;
  }

  /**
   * Closes the file.
   *
   * @param isClean whether every change was recorded and is durable
   */
  void close(boolean isClean) throws IOException {
    try (file) {
      file.flush();
      if (isClean && wasConsistent) {
        writeConsistent(1);
      }
    }
  }

  private void writeConsistent(int value) throws IOException {
    file.write(buffer(Integer.BYTES).putInt(0, value), CONSISTENT);
    file.flush();
  }
}
