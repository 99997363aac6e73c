package io.vdisk.spi;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import io.vdisk.ImageInfo;
import io.vdisk.feature.OrderedWriter;
import io.vdisk.feature.Reserving;
import io.vdisk.feature.Resizing;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.HostFile;
import io.vdisk.file.HostFlushException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The engine: makes a device of any layout. Every request takes a slot of the gate, goes down once,
 * and gives the slot back; recycling and waiting happen outside of slots.
 */
final class ImageDevice implements BlockDevice, Exclusive {
  /** Freed space that waits at most, whatever the image's size. */
  private static final long MAX_QUARANTINE = 64L << 20;

  /** Below this nobody minds a file that is larger than it need be. */
  private static final long MIN_QUARANTINE = 1L << 20;

  private final ImageLayout layout;
  private final Closeable resources;
  private final Gate gate = new Gate();
  private final DecodedUnits decoded = new DecodedUnits();
  private final ReadPath reads;
  private final @Nullable Writing writing;
  private final Set<Capability> capabilities;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile long size;

  /** Why the device does not take changes any longer. */
  private volatile @Nullable HostFlushException poison;

  /** What only a writable device has. */
  private record Writing(WritableLayout layout, WritePath path, Recycler recycler) {}

  /**
   * A device.
   *
   * @param layout owned from here on
   * @param writable whether changes are wanted and the layout can take them
   * @param backing what the layout does not hold; empty: zeroes
   * @param resources closed last, after the layout
   */
  ImageDevice(
      ImageLayout layout, boolean writable, Optional<BlockDevice> backing, Closeable resources) {
    this.layout = layout;
    this.resources = resources;
    this.size = layout.info().virtualSize();
    BufferPool buffers = new BufferPool();
    this.reads = new ReadPath(layout, backing.orElse(null), decoded, buffers);
    EnumSet<Capability> can = EnumSet.noneOf(Capability.class);
    if (backing.isPresent()) {
      can.add(Capability.BACKING);
    }
    if (writable && layout instanceof WritableLayout changes) {
      WritePath path = new WritePath(changes, reads, buffers, this::size);
      this.writing = new Writing(changes, path, new Recycler(gate, changes, decoded));
      can.add(Capability.WRITE);
      can.addAll(changes.capabilities());
    } else {
      this.writing = null;
    }
    this.capabilities = Collections.unmodifiableSet(can);
  }

  @Override
  public ImageInfo info() {
    return layout.info();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public Set<Capability> capabilities() {
    return capabilities;
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    Objects.checkFromIndexSize(offset, (long) dst.remaining(), size);
    int slot = gate.enter();
    try {
      reads.read(dst, offset);
    } finally {
      gate.exit(slot);
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    write(src, offset, WritePath.UNORDERED);
  }

  private void write(ByteBuffer src, long offset, Runnable placed) throws IOException {
    Objects.checkFromIndexSize(offset, (long) src.remaining(), size);
    int start = src.position();
    change(src.remaining(), path -> path.write(src, offset + (src.position() - start), placed));
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    Objects.checkFromIndexSize(offset, length, size);
    change(length, path -> path.writeZeroes(offset, length));
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    Objects.checkFromIndexSize(offset, length, size);
    change(length, path -> path.discard(offset, length));
  }

  /** Also {@link Exclusive#flush}: who is alone passes the gate without a slot. */
  @Override
  public void flush() throws IOException {
    int slot = gate.enter();
    try {
      if (writing == null) {
        return;
      }
      checkHealthy();
      flushLayout(writing);
    } finally {
      gate.exit(slot);
    }
    writing.recycler.poll();
  }

  @Override
  public Extent extentAt(long offset, long limit) throws IOException {
    Objects.checkFromIndexSize(offset, limit, size);
    if (limit == 0) {
      throw new IllegalArgumentException("limit 0");
    }
    int slot = gate.enter();
    try {
      return reads.extentAt(offset, limit);
    } finally {
      gate.exit(slot);
    }
  }

  @Override
  public <T> Optional<T> feature(Class<T> type) {
    if (type == UnitWriter.class && writing != null) {
      return layout instanceof EncodedWriting encoding && encoding.canEncode()
          ? Optional.of(type.cast(new Units(encoding)))
          : Optional.empty();
    }
    if (type == OrderedWriter.class && writing != null) {
      return Optional.of(type.cast(new InOrder()));
    }
    if (type == Reserving.class && writing != null) {
      Reserving reserving = this::reserve;
      return Optional.of(type.cast(reserving));
    }
    if (type == Resizing.class && writing != null) {
      return layout.feature(Resizing.class, this).map(resizing -> type.cast(zeroing(resizing)));
    }
    return layout.feature(type, this);
  }

  private long reserve(long offset, long length) throws IOException {
    Objects.checkFromIndexSize(offset, length, size);
    long[] reserved = new long[1];
    change(length, path -> reserved[0] = path.reserve(offset, length));
    return reserved[0];
  }

  /** What a disk grows by reads as zero, whatever a backing file or an old cluster has there. */
  private Resizing zeroing(Resizing resizing) {
    return virtualSize -> {
      long before = size;
      resizing.resize(virtualSize);
      long after = size;
      if (after > before) {
        writeZeroes(before, after - before);
        flush();
      }
    };
  }

  @Override
  public void close() throws IOException {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    try (resources;
        layout) {
      gate.shut();
      if (writing != null) {
        checkHealthy();
        settle(writing);
        writing.layout.finish();
        flushLayout(writing);
      }
    }
  }

  /** One change of the guest's. */
  @FunctionalInterface
  private interface Change {
    void apply(WritePath path) throws IOException;
  }

  private void change(long length, Change change) throws IOException {
    Writing writable = writing;
    if (writable == null) {
      if (closed.get()) {
        throw new ClosedChannelException();
      }
      throw new NonWritableChannelException();
    }
    if (!attempt(writable, length, change, true)) {
      // Freed space may be waiting for its references to go: see that they do, and try once more.
      flush();
      writable.recycler.drain();
      attempt(writable, length, change, false);
    }
    if (writable.layout.quarantinedBytes() > mostQuarantined()) {
      flush();
    }
  }

  /** False if the host has no room, and that is no failure yet. */
  private boolean attempt(Writing writable, long length, Change change, boolean mayFail)
      throws IOException {
    int slot = gate.enter();
    try {
      checkHealthy();
      if (length > 0) {
        change.apply(writable.path);
      }
      return true;
    } catch (NoSpaceException e) {
      if (!mayFail) {
        throw e;
      }
      return false;
    } catch (HostFlushException e) {
      poison = e;
      throw e;
    } finally {
      gate.exit(slot);
    }
  }

  private long mostQuarantined() {
    return Math.max(MIN_QUARANTINE, Math.min(MAX_QUARANTINE, size / 16));
  }

  private void flushLayout(Writing writable) throws IOException {
    try {
      writable.layout.flush();
    } catch (HostFlushException e) {
      poison = e;
      throw e;
    }
  }

  private void checkHealthy() throws IOException {
    HostFlushException failed = poison;
    if (failed != null) {
      throw new HostFlushException(
          "takes no more changes, because a host flush failed: " + failed.getMessage(), failed);
    }
  }

  /** Writes everything back and recycles everything; no request is in progress. */
  private void settle(Writing writable) throws IOException {
    writable.recycler.begin();
    try {
      flushLayout(writable);
      writable.recycler.recycleAlone();
      flushLayout(writable);
    } finally {
      writable.recycler.end();
    }
  }

  @Override
  public <T> T call(IoCallable<T> body) throws IOException {
    Writing writable = writing;
    if (writable != null) {
      writable.recycler.begin();
    }
    try {
      gate.closeExclusive();
      try {
        return callAlone(body, writable);
      } finally {
        gate.openExclusive();
      }
    } finally {
      if (writable != null) {
        writable.recycler.end();
      }
    }
  }

  private <T> T callAlone(IoCallable<T> body, @Nullable Writing writable) throws IOException {
    if (writable != null) {
      checkHealthy();
      settle(writable);
    }
    decoded.drop();
    try {
      T result = body.call();
      if (writable != null) {
        flushLayout(writable);
      }
      return result;
    } catch (HostFlushException e) {
      poison = e;
      throw e;
    } finally {
      layout.reload();
      size = layout.info().virtualSize();
    }
  }

  /** The feature that tells when space is set aside. */
  private final class InOrder implements OrderedWriter {
    @Override
    public void write(ByteBuffer src, long offset, Runnable placed) throws IOException {
      ImageDevice.this.write(src, offset, placed);
      placed.run();
    }

    @Override
    public long share(HostFile source, long sourceOffset, long offset, long length, Runnable placed)
        throws IOException {
      Objects.checkFromIndexSize(offset, length, size);
      long[] shared = new long[1];
      change(length, path -> shared[0] = path.share(source, sourceOffset, offset, length, placed));
      return shared[0];
    }
  }

  /** The feature that stores compressed units. */
  private final class Units implements UnitWriter {
    private final EncodedWriting encoding;
    private final int unit;

    Units(EncodedWriting encoding) {
      this.encoding = encoding;
      this.unit = Math.toIntExact(layout.info().unit());
    }

    @Override
    public int unit() {
      return unit;
    }

    @Override
    public int encode(ByteBuffer plain, ByteBuffer target) throws IOException {
      return encoding.encode(plain, target);
    }

    @Override
    public void append(long offset, ByteBuffer plain, ByteBuffer encoded) throws IOException {
      Objects.checkFromIndexSize(offset, 1, size);
      if (offset % unit != 0 || plain.remaining() != unit) {
        throw new IllegalArgumentException(plain.remaining() + " bytes at " + offset);
      }
      if (encoded.hasRemaining()) {
        int start = encoded.position();
        change(unit, path -> path.append(encoding, offset, encoded.position(start)));
      } else {
        ByteBuffer inside = plain.duplicate();
        write(inside.limit(inside.position() + (int) Math.min(unit, size - offset)), offset);
      }
    }
  }
}
