package io.vdisk.spi;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Moves bytes from host files to buffers, run by run as the layout maps them. Called by many
 * threads, each inside a slot of the gate.
 */
final class ReadPath {
  private final ImageLayout layout;
  private final @Nullable BlockDevice backing;
  private final @Nullable SectorCipher cipher;
  private final DecodedUnits decoded;
  private final BufferPool buffers;

  ReadPath(
      ImageLayout layout, @Nullable BlockDevice backing, DecodedUnits decoded, BufferPool buffers) {
    this.layout = layout;
    this.backing = backing;
    this.cipher = layout.cipher().orElse(null);
    this.decoded = decoded;
    this.buffers = buffers;
  }

  /** Fills {@code dst} from {@code offset} on. */
  void read(ByteBuffer dst, long offset) throws IOException {
    int limit = dst.limit();
    long position = offset;
    try {
      while (dst.position() < limit) {
        Mapping run = layout.map(position, limit - dst.position());
        int length = (int) Math.min(run.length(), limit - dst.position());
        dst.limit(dst.position() + length);
        readRun(run, dst, position);
        position += length;
      }
    } finally {
      dst.limit(limit);
    }
  }

  private void readRun(Mapping run, ByteBuffer dst, long offset) throws IOException {
    switch (run.kind()) {
      case STORED -> {
        if (cipher == null) {
          run.file().readPadded(dst, run.fileOffset());
        } else {
          readEnciphered(cipher, run.file(), run.fileOffset(), dst, offset);
        }
      }
      case ZERO -> Zeroes.fill(dst);
      case BACKING -> readBacking(dst, offset);
      case ENCODED -> readEncoded(run, dst, offset);
    }
  }

  /** The one place that knows: what the backing device does not reach reads as zero. */
  private void readBacking(ByteBuffer dst, long offset) throws IOException {
    if (backing != null && offset < backing.size()) {
      int limit = dst.limit();
      dst.limit(dst.position() + (int) Math.min(dst.remaining(), backing.size() - offset));
      try {
        backing.read(dst, offset);
      } finally {
        dst.limit(limit);
      }
    }
    Zeroes.fill(dst);
  }

  private void readEncoded(Mapping run, ByteBuffer dst, long offset) throws IOException {
    long start = layout.unitStart(offset);
    int unit = Math.toIntExact(layout.unitEnd(offset) - start);
    if (offset == start && dst.remaining() == unit) {
      layout.decode(run, dst);
      return;
    }
    ByteBuffer whole = decoded.get(run.file(), run.fileOffset());
    if (whole == null) {
      ByteBuffer fresh = ByteBuffer.allocate(unit);
      layout.decode(run, fresh);
      whole = decoded.put(run.file(), run.fileOffset(), fresh.flip());
    }
    int from = (int) (offset - start);
    dst.put(whole.duplicate().position(from).limit(from + dst.remaining()));
  }

  /**
   * Reads whole sectors through a buffer of our own and hands out the part that was asked for: a
   * caller's buffer may be too small for the sectors around its range.
   */
  private void readEnciphered(
      SectorCipher sectors, HostFile file, long fileOffset, ByteBuffer dst, long offset)
      throws IOException {
    int sector = sectors.sectorSize();
    long position = offset;
    while (dst.hasRemaining()) {
      int lead = (int) (position % sector);
      int length = Math.min(dst.remaining(), BufferPool.MAX_SIZE - 2 * sector);
      int covered = roundUp(lead + length, sector);
      long host = fileOffset + (position - offset) - lead;
      ByteBuffer buffer = buffers.acquire(covered);
      try {
        readPlain(sectors, file, host, buffer, position - lead);
        dst.put(buffer.position(lead).limit(lead + length));
      } finally {
        buffers.release(buffer);
      }
      position += length;
    }
  }

  /** Reads and deciphers whole sectors; {@code buffer} is then ready to be taken from. */
  static void readPlain(
      SectorCipher sectors, HostFile file, long fileOffset, ByteBuffer buffer, long offset)
      throws IOException {
    int start = buffer.position();
    file.readPadded(buffer, fileOffset);
    buffer.position(start);
    sectors.decrypt(buffer, offset, fileOffset);
    buffer.position(start);
  }

  /** Whether a range is known to read as zero, without reading it. */
  boolean readsAsZero(long offset, long length) throws IOException {
    long end = offset + length;
    for (long position = offset; position < end; ) {
      Extent extent = extentAt(position, end - position);
      if (!extent.readsAsZero()) {
        return false;
      }
      position += extent.length();
    }
    return true;
  }

  /**
   * What lies at {@code offset}: the same {@code map} as a read, so that the two cannot disagree.
   */
  Extent extentAt(long offset, long limit) throws IOException {
    Mapping run = layout.map(offset, limit);
    long length = Math.min(run.length(), limit);
    return switch (run.kind()) {
      case STORED -> storedExtent(run, offset, length);
      case ZERO -> Extent.zero(offset, length);
      case ENCODED -> Extent.encoded(offset, length, run.file(), run.fileOffset());
      case BACKING -> {
        if (backing == null || offset >= backing.size()) {
          yield Extent.hole(offset, length);
        }
        yield backing.extentAt(offset, Math.min(length, backing.size() - offset)).deeper(1);
      }
    };
  }

  private Extent storedExtent(Mapping run, long offset, long length) throws IOException {
    HostFile file = run.file();
    long from = run.fileOffset();
    if (cipher != null) {
      // A hole of the host deciphers to anything but zeroes.
      return Extent.data(offset, length);
    }
    long end = file.dataEnd(from, length);
    if (end > from) {
      return Extent.data(offset, Math.min(length, end - from), file, from);
    }
    return Extent.zero(offset, Math.min(length, -end - from));
  }

  private static int roundUp(int value, int powerOfTwo) {
    return (value + powerOfTwo - 1) & -powerOfTwo;
  }
}
