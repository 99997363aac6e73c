package io.vdisk;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/** A disk in memory that says what was asked of it, for tests of what moves between disks. */
final class TinyDevice implements BlockDevice {
  private final MemoryFile file = new MemoryFile("tiny");
  private final long unit;
  private final List<Extent> extents = new ArrayList<>();
  final List<String> calls = Collections.synchronizedList(new ArrayList<>());
  volatile long failReadAt = -1;
  volatile long failWriteAt = -1;
  final CountDownLatch failedRead = new CountDownLatch(1);
  volatile CountDownLatch failWriteAfter = new CountDownLatch(0);
  volatile boolean writable = true;
  volatile int encoding; // bytes that a unit is encoded to; 0: there is no such feature

  TinyDevice(long size, long unit) throws IOException {
    this.unit = unit;
    file.resize(size);
  }

  /** What {@link #extentAt} says from now on; data where nothing was said. */
  TinyDevice with(Extent extent) {
    extents.add(extent);
    return this;
  }

  TinyDevice fill(long offset, int length, int value) throws IOException {
    byte[] bytes = new byte[length];
    java.util.Arrays.fill(bytes, (byte) value);
    file.write(ByteBuffer.wrap(bytes), offset);
    return this;
  }

  byte[] content() throws IOException {
    byte[] all = new byte[(int) file.size()];
    file.readFully(ByteBuffer.wrap(all), 0);
    return all;
  }

  @Override
  public ImageInfo info() {
    return ImageInfo.builder("tiny", size(), unit).build();
  }

  @Override
  public long size() {
    try {
      return file.size();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public Set<Capability> capabilities() {
    return writable ? Set.of(Capability.WRITE) : Set.of();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    calls.add("read " + offset + "+" + dst.remaining());
    if (failReadAt >= offset && failReadAt < offset + dst.remaining()) {
      failedRead.countDown();
      throw new IOException("cannot read " + offset);
    }
    file.readFully(dst, offset);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    calls.add("write " + offset + "+" + src.remaining());
    if (failWriteAt >= offset && failWriteAt < offset + src.remaining()) {
      Uninterruptibles.awaitUninterruptibly(failWriteAfter);
      throw new IOException("cannot write " + offset);
    }
    file.write(src, offset);
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    calls.add("zero " + offset + "+" + length);
    file.zero(offset, length, false);
  }

  @Override
  public void discard(long offset, long length) {
    throw new AssertionError("a copy discards nothing");
  }

  @Override
  public void flush() {
    calls.add("flush");
  }

  @Override
  public Extent extentAt(long offset, long limit) {
    long end = offset + limit;
    for (Extent extent : extents) {
      long extentEnd = extent.offset() + extent.length();
      if (offset >= extent.offset() && offset < extentEnd) {
        long length = Math.min(extentEnd, end) - offset;
        Extent part =
            extent.readsAsZero() ? Extent.hole(offset, length) : Extent.data(offset, length);
        return part.deeper(extent.depth());
      }
      if (extent.offset() > offset) {
        end = Math.min(end, extent.offset());
      }
    }
    return Extent.data(offset, end - offset);
  }

  @Override
  public <T> Optional<T> feature(Class<T> type) {
    return type == UnitWriter.class && encoding > 0
        ? Optional.of(type.cast(new Units()))
        : Optional.empty();
  }

  @Override
  public void close() {
    file.close();
  }

  /** Encodes a unit to its first bytes, or not at all where the first byte is odd. */
  private final class Units implements UnitWriter {
    @Override
    public int unit() {
      return (int) unit;
    }

    @Override
    public int encode(ByteBuffer plain, ByteBuffer encoded) {
      boolean shrinks = plain.get(plain.position()) % 2 == 0;
      if (shrinks) {
        encoded.put(plain.duplicate().limit(plain.position() + encoding));
      }
      plain.position(plain.limit());
      return shrinks ? encoding : 0;
    }

    @Override
    public void append(long offset, ByteBuffer plain, ByteBuffer encoded) throws IOException {
      calls.add("append " + offset + " as " + encoded.remaining());
      int inside = (int) Math.min(plain.remaining(), size() - offset);
      file.write(plain.duplicate().limit(plain.position() + inside), offset);
    }
  }
}
