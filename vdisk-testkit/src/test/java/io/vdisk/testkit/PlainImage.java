package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import io.vdisk.ImageInfo;
import io.vdisk.file.MemoryFile;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The simplest image: every unit at its own offset in a file in memory, and a state for each. Its
 * devices implement {@link BlockDevice} without the engine, so that the contracts are tried on what
 * shares no code with it.
 */
final class PlainImage {
  static final int UNIT = 4096;

  private enum State {
    ABSENT,
    ZERO,
    DATA
  }

  private final long size;
  private final MemoryFile file = new MemoryFile("plain");
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private final State[] states; // guarded by lock

  PlainImage(long size) {
    this.size = size;
    this.states = new State[Math.toIntExact((size + UNIT - 1) / UNIT)];
    Arrays.fill(states, State.ABSENT);
  }

  BlockDevice open(boolean writable, Optional<BlockDevice> backing) {
    return new Device(writable, backing);
  }

  /** One opening of the image. */
  final class Device implements BlockDevice {
    private final boolean writable;
    private final Optional<BlockDevice> backing;
    private boolean closed; // guarded by lock

    private Device(boolean writable, Optional<BlockDevice> backing) {
      this.writable = writable;
      this.backing = backing;
    }

    PlainImage image() {
      return PlainImage.this;
    }

    @Override
    public ImageInfo info() {
      return ImageInfo.builder("plain", size, UNIT).build();
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public Set<Capability> capabilities() {
      Set<Capability> can = EnumSet.noneOf(Capability.class);
      if (writable) {
        can.addAll(EnumSet.of(Capability.WRITE, Capability.DISCARD, Capability.FAST_ZERO));
      }
      backing.ifPresent(device -> can.add(Capability.BACKING));
      return can;
    }

    @Override
    public void read(ByteBuffer dst, long offset) throws IOException {
      Objects.checkFromIndexSize(offset, (long) dst.remaining(), size);
      lock.readLock().lock();
      try {
        checkOpen();
        readUnits(dst, offset);
      } finally {
        lock.readLock().unlock();
      }
    }

    private void readUnits(ByteBuffer dst, long offset) throws IOException {
      int limit = dst.limit();
      for (long position = offset; dst.position() < limit; ) {
        int length = (int) Math.min(limit - dst.position(), UNIT - position % UNIT);
        dst.limit(dst.position() + length);
        switch (states[(int) (position / UNIT)]) {
          case DATA -> file.readPadded(dst, position);
          case ZERO -> Zeroes.fill(dst);
          case ABSENT -> readBacking(dst, position);
        }
        dst.limit(limit);
        position += length;
      }
    }

    private void readBacking(ByteBuffer dst, long offset) throws IOException {
      int limit = dst.limit();
      if (backing.isPresent() && offset < backing.get().size()) {
        long inside = Math.min(dst.remaining(), backing.get().size() - offset);
        backing.get().read(dst.limit(dst.position() + (int) inside), offset);
      }
      Zeroes.fill(dst.limit(limit));
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      Objects.checkFromIndexSize(offset, (long) src.remaining(), size);
      lock.writeLock().lock();
      try {
        checkWritable();
        if (src.hasRemaining()) {
          fetch(offset);
          fetch(offset + src.remaining() - 1);
          long last = (offset + src.remaining() - 1) / UNIT;
          Arrays.fill(states, (int) (offset / UNIT), (int) last + 1, State.DATA);
          file.write(src, offset);
        }
      } finally {
        lock.writeLock().unlock();
      }
    }

    /** Makes the unit around {@code offset} data. */
    private void fetch(long offset) throws IOException {
      int unit = (int) (offset / UNIT);
      long start = (long) unit * UNIT;
      if (states[unit] != State.DATA) {
        ByteBuffer content = ByteBuffer.allocate((int) Math.min(UNIT, size - start));
        readUnits(content, start);
        file.write(content.flip(), start);
        states[unit] = State.DATA;
      }
    }

    @Override
    public void writeZeroes(long offset, long length) throws IOException {
      Objects.checkFromIndexSize(offset, length, size);
      zero(offset, length, true);
    }

    @Override
    public void discard(long offset, long length) throws IOException {
      Objects.checkFromIndexSize(offset, length, size);
      zero(offset, length, false);
    }

    private void zero(long offset, long length, boolean parts) throws IOException {
      lock.writeLock().lock();
      try {
        checkWritable();
        long end = offset + length;
        for (long position = offset; position < end; ) {
          long start = position - position % UNIT;
          long to = Math.min(end, start + UNIT);
          if (position == start && (to == start + UNIT || to == size)) {
            states[(int) (position / UNIT)] = State.ZERO;
          } else if (parts) {
            fetch(position);
            file.write(ByteBuffer.allocate((int) (to - position)), position);
          }
          position = to;
        }
      } finally {
        lock.writeLock().unlock();
      }
    }

    @Override
    public void flush() throws IOException {
      lock.readLock().lock();
      try {
        checkOpen();
      } finally {
        lock.readLock().unlock();
      }
    }

    @Override
    public Extent extentAt(long offset, long limit) throws IOException {
      Objects.checkFromIndexSize(offset, limit, size);
      if (limit == 0) {
        throw new IllegalArgumentException("limit 0");
      }
      lock.readLock().lock();
      try {
        checkOpen();
        long length = Math.min(limit, UNIT - offset % UNIT);
        return switch (states[(int) (offset / UNIT)]) {
          case DATA -> Extent.data(offset, length, file, offset);
          case ZERO -> Extent.zero(offset, length);
          case ABSENT -> {
            if (backing.isEmpty() || offset >= backing.get().size()) {
              yield Extent.hole(offset, length);
            }
            long inside = Math.min(length, backing.get().size() - offset);
            yield backing.get().extentAt(offset, inside).deeper(1);
          }
        };
      } finally {
        lock.readLock().unlock();
      }
    }

    @Override
    public void close() {
      lock.writeLock().lock();
      try {
        closed = true;
      } finally {
        lock.writeLock().unlock();
      }
    }

    private void checkOpen() throws ClosedChannelException {
      if (closed) {
        throw new ClosedChannelException();
      }
    }

    private void checkWritable() throws ClosedChannelException {
      checkOpen();
      if (!writable) {
        throw new NonWritableChannelException();
      }
    }
  }
}
