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
  /**
   * With 32 KiB to look back, level 4 makes units as small as level 6 does with 4 KiB, in half the
   * time: 0.645 of a file system's bytes against 0.650 when that was tried.
   */
  private static final int LEVEL = 4;

  /** Units of at least so many bytes are tried on samples first. */
  private static final int LEAST_SAMPLED = 32 << 10;

  private static final int SAMPLES = 4;
  private static final int SAMPLE = 1 << 10;

  /** What samples must shrink to: in files that are compressed already they do not. */
  private static final int MOST_OF_SAMPLES = SAMPLES * SAMPLE * 99 / 100;

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
   * @return bytes put into {@code target}; 0 if it takes more than {@code most}, or samples of the
   *     unit say that it hardly shrinks
   */
  public int deflate(ByteBuffer unit, ByteBuffer target, int most) {
    Deflater deflater = deflaters.poll();
    if (deflater == null) {
      deflater = new Deflater(LEVEL, true);
    }
    try {
      int start = target.position();
      int made = shrinks(deflater, unit) ? deflate(deflater, unit, target, most) : 0;
      if (made == 0) {
        target.position(start);
      }
      unit.position(unit.limit());
      return made;
    } finally {
      deflaters.add(deflater);
      releaseIfClosed();
    }
  }

  private static boolean shrinks(Deflater deflater, ByteBuffer unit) {
    int length = unit.remaining();
    if (length < LEAST_SAMPLED) {
      return true;
    }
    ByteBuffer samples = ByteBuffer.allocate(SAMPLES * SAMPLE);
    for (int i = 0; i < SAMPLES; i++) {
      samples.put(unit.slice(unit.position() + length / SAMPLES * i, SAMPLE));
    }
    return deflate(deflater, samples.flip(), ByteBuffer.allocate(MOST_OF_SAMPLES), MOST_OF_SAMPLES)
        > 0;
  }

  /** Bytes made; 0 if that would be more than {@code most}. */
  private static int deflate(Deflater deflater, ByteBuffer source, ByteBuffer target, int most) {
    int start = target.position();
    int limit = target.limit();
    deflater.reset();
    deflater.setInput(source);
    deflater.finish();
    target.limit(start + Math.min(most, limit - start));
    int made = deflater.deflate(target);
    target.limit(limit);
    return deflater.finished() ? made : 0;
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
