package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Grains compressed as RFC 1950 has it (deflate with header and checksum). Thread-safe: each call
 * takes an inflater of its own from a pool.
 */
final class GrainCodec implements Closeable {
  private final ConcurrentLinkedQueue<Inflater> inflaters = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;

  /** The most that a grain of so many bytes may take compressed; what does not shrink grows. */
  static int mostBytes(long grainSize) {
    return (int) (2 * grainSize + 64);
  }

  /**
   * Decompresses one grain.
   *
   * @param encoded its bytes, perhaps with others behind them
   * @param unit filled from position to limit
   * @param least bytes that it must make; behind them come zeroes
   * @throws CorruptImageException if the bytes are no such stream, or make more or fewer
   */
  void inflate(ByteBuffer encoded, ByteBuffer unit, int least, HostFile file, long offset)
      throws IOException {
    inflate(encoded, unit, least, file.name(), offset);
  }

  /** The same of an image that has a name alone. */
  void inflate(ByteBuffer encoded, ByteBuffer unit, int least, String name, long offset)
      throws IOException {
    Inflater inflater = inflaters.poll();
    if (inflater == null) {
      inflater = new Inflater();
    }
    String where = name + ": compressed grain at " + offset;
    try {
      inflater.reset();
      inflater.setInput(encoded);
      while (unit.hasRemaining() && !inflater.finished()) {
        if (inflater.inflate(unit) == 0 && !inflater.finished()) {
          throw new CorruptImageException(where + " is cut off");
        }
      }
      if (inflater.getBytesWritten() < least) {
        throw new CorruptImageException(
            where + " makes " + inflater.getBytesWritten() + " bytes, not " + least);
      }
      while (unit.hasRemaining()) {
        Zeroes.fill(unit);
      }
      boolean more = inflater.inflate(ByteBuffer.allocate(1)) > 0;
      if (more || !inflater.finished()) {
        throw new CorruptImageException(where + " makes more bytes than a grain has");
      }
    } catch (DataFormatException e) {
      throw new CorruptImageException(where + " is broken: " + e.getMessage(), e);
    } finally {
      inflaters.add(inflater);
      releaseIfClosed();
    }
  }

  /** Gives the native memory back. Later calls work, and give theirs back at once. */
  @Override
  public void close() {
    closed = true;
    releaseIfClosed();
  }

  private void releaseIfClosed() {
    if (closed) {
      for (Inflater inflater; (inflater = inflaters.poll()) != null; ) {
        inflater.end();
      }
    }
  }
}
