package io.vdisk.spi.codec;

import java.io.Closeable;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * Deflate without a header (RFC 1951), one unit at a time. Thread-safe: each call takes an inflater
 * or deflater of its own from a pool, because making one costs more than a small unit does.
 *
 * <p>The JDK's deflater looks back up to 32 KiB; QEMU's own looks back 4 KiB. Readers that inflate
 * a unit in one call, as QEMU does, read both.
 */
public final class RawDeflate implements Closeable {
  private final ConcurrentLinkedQueue<Inflater> inflaters = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Deflater> deflaters = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;

  /** A pool that is empty so far. */
  public RawDeflate() {}

  /**
   * Decompresses one unit.
   *
   * @param encoded its compressed bytes, perhaps with others behind them
   * @param unit filled from position to limit
   * @return false if the bytes are no deflate stream, or make fewer bytes than the unit has
   */
  public boolean inflate(ByteBuffer encoded, ByteBuffer unit) {
    Inflater inflater = inflaters.poll();
    if (inflater == null) {
      inflater = new Inflater(true);
    }
    try {
      inflater.reset();
      inflater.setInput(encoded);
      while (unit.hasRemaining()) {
        int made = inflater.inflate(unit);
        if (made == 0 && (inflater.finished() || inflater.needsInput())) {
          return false;
        }
        if (made == 0 && inflater.needsDictionary()) {
          return false;
        }
      }
      return true;
    } catch (DataFormatException e) {
      return false;
    } finally {
      inflaters.add(inflater);
      releaseIfClosed();
    }
  }

  /**
   * Compresses one unit, and moves its position to its limit.
   *
   * @param most how many bytes are worth storing
   * @return bytes put into {@code target}; 0 if it takes more than {@code most}
   */
  public int deflate(ByteBuffer unit, ByteBuffer target, int most) {
    Deflater deflater = deflaters.poll();
    if (deflater == null) {
      deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    }
    int start = target.position();
    int limit = target.limit();
    try {
      deflater.reset();
      deflater.setInput(unit);
      deflater.finish();
      target.limit(start + Math.min(most, limit - start));
      int made = deflater.deflate(target);
      unit.position(unit.limit());
      if (!deflater.finished()) {
        target.position(start);
        return 0;
      }
      return made;
    } finally {
      target.limit(limit);
      deflaters.add(deflater);
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
      for (Deflater deflater; (deflater = deflaters.poll()) != null; ) {
        deflater.end();
      }
    }
  }
}
