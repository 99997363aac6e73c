package io.vdisk.spi;

import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Moves bytes from buffers to host files: in place where the layout allows it, otherwise by
 * allocating, copying the edges of the unit up, and committing. Copy-on-write of every format is
 * here, once: the source may be the backing device, zeroes, a compressed unit or a shared one.
 *
 * <p>Called by many threads, each inside a slot of the gate. It keeps:
 *
 * <ol>
 *   <li>A mapping is committed after the data it names was handed to the host file.
 *   <li>Units are allocated and zeroed under their lock, after a second look at the map: another
 *       writer may have been first.
 *   <li>With a cipher, the sectors that a write touches are locked in place too: a neighbour's
 *       read-modify-write would lose it.
 * </ol>
 */
final class WritePath {
  /** What is written at a time where zeroes must be written. */
  private static final int ZERO_STEP = BufferPool.MAX_SIZE;

  /** Units whose lock is held at a time while they are zeroed: others shall not wait for a disk. */
  private static final long LOCK_STEP = 1L << 30;

  /** For writes whose order nobody minds. */
  static final Runnable UNORDERED = () -> {};

  private final WritableLayout layout;
  private final ReadPath reads;
  private final RangeLock units;
  private final BufferPool buffers;
  private final @Nullable SectorCipher cipher;
  private final LongSupplier virtualSize;

  WritePath(WritableLayout layout, ReadPath reads, BufferPool buffers, LongSupplier virtualSize) {
    this.layout = layout;
    this.virtualSize = virtualSize;
    this.reads = reads;
    this.buffers = buffers;
    this.units = new RangeLock();
    this.cipher = layout.cipher().orElse(null);
  }

  /**
   * Writes all of {@code src}; what was written before a failure has moved its position.
   *
   * @param placed run when all space is set aside, before the last bytes are handed to the host
   */
  void write(ByteBuffer src, long offset, Runnable placed) throws IOException {
    layout.beforeWrite(offset, src.remaining());
    writeRuns(src, offset, placed);
  }

  private void writeRuns(ByteBuffer src, long offset, Runnable placed) throws IOException {
    int limit = src.limit();
    long position = offset;
    try {
      while (src.position() < limit) {
        int before = src.position();
        writeRun(src, position, placed);
        src.limit(limit);
        position += src.position() - before;
      }
    } finally {
      src.limit(limit);
    }
  }

  /** Writes as much as lies in one run; may lower the limit. */
  private void writeRun(ByteBuffer src, long offset, Runnable placed) throws IOException {
    Mapping run = layout.map(offset, src.remaining());
    if (run.isWritable()) {
      if (run.length() >= src.remaining()) {
        placed.run();
      }
      writeInPlace(run, src, offset);
      return;
    }
    long length = Math.min(run.length(), src.remaining());
    RangeLock.Held held = units.lock(layout.unitStart(offset), layout.unitEnd(offset + length - 1));
    try {
      run = layout.map(offset, length);
      if (run.isWritable()) {
        clip(src, Math.min(run.length(), length));
        writeStored(run.file(), run.fileOffset(), src, offset);
      } else {
        writeAllocating(src, offset, Math.min(run.length(), length), placed);
      }
    } finally {
      units.unlock(held);
    }
  }

  /**
   * Writes what a host file holds by sharing its blocks; how many bytes of the range that was.
   *
   * @param placed run when space is set aside; not where nothing is shared
   */
  long share(HostFile source, long sourceOffset, long offset, long length, Runnable placed)
      throws IOException {
    if (cipher != null) {
      return 0;
    }
    layout.beforeWrite(offset, length);
    Mapping run = layout.map(offset, length);
    long most = Math.min(run.length(), length);
    if (run.isWritable()) {
      placed.run();
      return run.file().share(source, sourceOffset, run.fileOffset(), most);
    }
    RangeLock.Held held = units.lock(layout.unitStart(offset), layout.unitEnd(offset + most - 1));
    try {
      run = layout.map(offset, most);
      return run.isWritable() || run.length() < most
          ? 0
          : shareAllocating(source, sourceOffset, offset, most, placed);
    } finally {
      units.unlock(held);
    }
  }

  private long shareAllocating(
      HostFile source, long sourceOffset, long offset, long length, Runnable placed)
      throws IOException {
    Allocation space = layout.allocate(offset, length);
    boolean committed = false;
    try {
      long whole = space.head() == 0 && space.tail() == 0 ? space.length() : 0;
      HostFile file = space.file();
      if (whole > 0 && file.share(source, sourceOffset, space.fileOffset(), whole) == whole) {
        placed.run();
        space.commit();
        committed = true;
        return whole;
      }
      return 0;
    } finally {
      if (!committed) {
        space.abort();
      }
    }
  }

  /**
   * Sets space aside for a range without moving its bytes; of how many that was done, from its
   * beginning on.
   */
  long reserve(long offset, long length) throws IOException {
    layout.beforeWrite(offset, length);
    Mapping run = layout.map(offset, length);
    long most = Math.min(run.length(), length);
    if (run.isWritable()) {
      return reserved(run, most);
    }
    RangeLock.Held held = units.lock(layout.unitStart(offset), layout.unitEnd(offset + most - 1));
    try {
      run = layout.map(offset, most);
      most = Math.min(run.length(), most);
      if (run.isWritable()) {
        return reserved(run, most);
      }
      // A hole of the host deciphers to anything but zeroes.
      return cipher == null && isZero(offset, most) ? reserveAllocating(offset, most) : 0;
    } finally {
      units.unlock(held);
    }
  }

  private static long reserved(Mapping run, long length) throws IOException {
    return run.file().allocate(run.fileOffset(), length) ? length : 0;
  }

  private long reserveAllocating(long offset, long length) throws IOException {
    Allocation space = layout.allocate(offset, length);
    boolean committed = false;
    try {
      if (isZero(offset - space.head(), space.head())
          && isZero(offset + space.length(), space.tail())
          && isMadeZero(space)) {
        space.commit();
        committed = true;
        return space.length();
      }
      return 0;
    } finally {
      if (!committed) {
        space.abort();
      }
    }
  }

  /** The host gives the whole space blocks, which read as zero. */
  private static boolean isMadeZero(Allocation space) throws IOException {
    long from = space.fileOffset() - space.head();
    long length = space.head() + space.length() + space.tail();
    return (space.zeroed() || space.file().zero(from, length, true))
        && space.file().allocate(from, length);
  }

  private void writeInPlace(Mapping run, ByteBuffer src, long offset) throws IOException {
    clip(src, run.length());
    if (cipher == null) {
      run.file().write(src, run.fileOffset());
      return;
    }
    int sector = cipher.sectorSize();
    long end = offset + src.remaining();
    RangeLock.Held held =
        units.lock(offset - offset % sector, (end + sector - 1) / sector * sector);
    try {
      writeStored(run.file(), run.fileOffset(), src, offset);
    } finally {
      units.unlock(held);
    }
  }

  private void writeAllocating(ByteBuffer src, long offset, long length, Runnable placed)
      throws IOException {
    Allocation space = layout.allocate(offset, length);
    boolean committed = false;
    try {
      if (space.length() >= src.remaining()) {
        placed.run();
      }
      clip(src, space.length());
      writeWithEdges(space, src, offset);
      space.commit();
      committed = true;
    } finally {
      if (!committed) {
        space.abort();
      }
    }
  }

  private void writeWithEdges(Allocation space, ByteBuffer src, long offset) throws IOException {
    long end = offset + src.remaining();
    long from = offset - edge(space, offset - space.head(), space.head());
    long to = end + edge(space, end, space.tail());
    if (cipher != null || (to - from > end - offset && to - from <= BufferPool.MAX_SIZE)) {
      writeComposed(space, src, offset, from, to);
    } else {
      writeComposed(space, src, offset, from, offset);
      space.file().write(src, space.fileOffset());
      writeComposed(space, src, offset, end, to);
    }
  }

  /**
   * How much of an edge must be written: none, if the space reads as zero and the edge does too.
   */
  private long edge(Allocation space, long from, long length) throws IOException {
    boolean leave = length == 0 || (cipher == null && space.zeroed() && isZero(from, length));
    return leave ? 0 : length;
  }

  private boolean isZero(long from, long length) throws IOException {
    long inside = Math.min(length, virtualSize.getAsLong() - from);
    return inside <= 0 || reads.readsAsZero(from, inside);
  }

  /**
   * Writes the guest range from {@code from} to {@code to} into new space: the guest's bytes where
   * {@code src} has them, what is seen there now elsewhere; neighbours in one host write. With a
   * cipher the range is whole sectors.
   */
  private void writeComposed(Allocation space, ByteBuffer src, long offset, long from, long to)
      throws IOException {
    long end = offset + src.remaining();
    for (long position = from; position < to; ) {
      int length = (int) Math.min(to - position, BufferPool.MAX_SIZE);
      ByteBuffer buffer = buffers.acquire(length);
      try {
        readEdge(buffer, position, Math.min(offset, position + length));
        take(buffer, src, Math.min(end, position + length) - Math.max(offset, position));
        readEdge(buffer, Math.max(end, position), position + length);
        writeSectors(
            space.file(), space.fileOffset() + (position - offset), buffer.flip(), position);
      } finally {
        buffers.release(buffer);
      }
      position += length;
    }
  }

  /** Appends what the guest sees from {@code from} to {@code to}; a unit is zero past the disk. */
  private void readEdge(ByteBuffer buffer, long from, long to) throws IOException {
    if (from >= to) {
      return;
    }
    int limit = buffer.limit();
    int start = buffer.position();
    int inside = (int) Math.max(0, Math.min(to, virtualSize.getAsLong()) - from);
    reads.read(buffer.limit(start + inside), from);
    Zeroes.fill(buffer.limit(start + (int) (to - from)));
    buffer.limit(limit);
  }

  private static void take(ByteBuffer buffer, ByteBuffer src, long length) {
    if (length > 0) {
      int limit = src.limit();
      buffer.put(src.limit(src.position() + (int) length));
      src.limit(limit);
    }
  }

  /** Overwrites what is stored; the caller holds the sectors if there is a cipher. */
  private void writeStored(HostFile file, long fileOffset, ByteBuffer src, long offset)
      throws IOException {
    if (cipher == null) {
      file.write(src, fileOffset);
      return;
    }
    int sector = cipher.sectorSize();
    long position = offset;
    while (src.hasRemaining()) {
      int lead = (int) (position % sector);
      int length = Math.min(src.remaining(), BufferPool.MAX_SIZE - 2 * sector);
      int covered = (lead + length + sector - 1) / sector * sector;
      long host = fileOffset + (position - offset) - lead;
      ByteBuffer plain = buffers.acquire(covered);
      try {
        if (covered != length) {
          ReadPath.readPlain(cipher, file, host, plain, position - lead);
        }
        take(plain.position(lead), src, length);
        writeSectors(file, host, plain.position(0), position - lead);
      } finally {
        buffers.release(plain);
      }
      position += length;
    }
  }

  private void writeSectors(HostFile file, long fileOffset, ByteBuffer plain, long offset)
      throws IOException {
    if (cipher == null) {
      file.write(plain, fileOffset);
      return;
    }
    ByteBuffer enciphered = buffers.acquire(plain.remaining());
    try {
      cipher.encrypt(plain, enciphered, offset, fileOffset);
      file.write(enciphered.flip(), fileOffset);
    } finally {
      buffers.release(enciphered);
    }
  }

  /** Makes the range read as zero: whole granules by the layout, the rest by writing. */
  void writeZeroes(long offset, long length) throws IOException {
    layout.beforeWrite(offset, length);
    zero(offset, length, true);
  }

  /** Gives whole granules back; leaves what the layout cannot. */
  void discard(long offset, long length) throws IOException {
    layout.beforeWrite(offset, length);
    zero(offset, length, false);
  }

  private void zero(long offset, long length, boolean mustBeZero) throws IOException {
    long end = offset + length;
    long granule = layout.granule();
    long wholeStart = roundUp(offset, granule);
    long wholeEnd = end == virtualSize.getAsLong() ? end : end - end % granule;
    if (wholeStart >= wholeEnd) {
      wholeStart = end;
      wholeEnd = end;
    }
    if (mustBeZero) {
      writeZeroBytes(offset, wholeStart);
    }
    for (long position = wholeStart; position < wholeEnd; ) {
      long done = zeroGranules(position, Math.min(wholeEnd - position, LOCK_STEP));
      if (done == 0) {
        done = sameRun(position, wholeEnd) - position;
        if (mustBeZero) {
          writeZeroBytes(position, position + done);
        }
      }
      position += done;
    }
    if (mustBeZero) {
      writeZeroBytes(wholeEnd, end);
    }
  }

  private long zeroGranules(long offset, long length) throws IOException {
    RangeLock.Held held = units.lock(layout.unitStart(offset), layout.unitEnd(offset + length - 1));
    try {
      return layout.zero(offset, length, false);
    } finally {
      units.unlock(held);
    }
  }

  /** Where that ends, in whole units, which the layout cannot zero for the same reason. */
  private long sameRun(long from, long to) throws IOException {
    long end = from + layout.map(from, to - from).length();
    return end >= to ? to : Math.min(to, Math.max(layout.unitEnd(from), layout.unitStart(end)));
  }

  private void writeZeroBytes(long from, long to) throws IOException {
    for (long position = from; position < to; ) {
      long step = Math.min(to - position, ZERO_STEP);
      if (!reads.readsAsZero(position, step)) {
        ByteBuffer zeroes = buffers.acquire((int) step);
        try {
          Zeroes.fill(zeroes);
          writeRuns(zeroes.flip(), position, UNORDERED);
        } finally {
          buffers.release(zeroes);
        }
      }
      position += step;
    }
  }

  /** Stores one compressed unit. */
  void append(EncodedWriting encoding, long offset, ByteBuffer encoded) throws IOException {
    layout.beforeWrite(offset, layout.unitEnd(offset) - offset);
    RangeLock.Held held = units.lock(layout.unitStart(offset), layout.unitEnd(offset));
    try {
      Allocation space = encoding.allocateEncoded(offset, encoded.remaining());
      boolean committed = false;
      try {
        space.file().write(encoded, space.fileOffset());
        space.commit();
        committed = true;
      } finally {
        if (!committed) {
          space.abort();
        }
      }
    } finally {
      units.unlock(held);
    }
  }

  private static void clip(ByteBuffer src, long length) {
    if (length < src.remaining()) {
      src.limit(src.position() + (int) length);
    }
  }

  private static long roundUp(long value, long powerOfTwo) {
    return (value + powerOfTwo - 1) & -powerOfTwo;
  }
}
