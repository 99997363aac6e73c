package io.vdisk;

import io.vdisk.feature.BackingLink;
import io.vdisk.feature.Emptying;
import io.vdisk.feature.Resizing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** An overlay in memory of units that are held or not, with a log that several may share. */
final class TinyOverlay implements BlockDevice {
  private final int unit;
  private final Optional<BlockDevice> backing;
  private final Map<Long, byte[]> held = new TreeMap<>();
  private final List<String> log;
  private final String name;
  private long size;
  boolean canResize = true;
  boolean failFlush;
  boolean leavesZeroes; // as formats do that have no zero units
  long failWriteAt = -1;
  String link = "old";

  TinyOverlay(String name, long size, int unit, Optional<BlockDevice> backing, List<String> log) {
    this.name = name;
    this.size = size;
    this.unit = unit;
    this.backing = backing;
    this.log = log;
  }

  TinyOverlay(String name, long size, int unit, Optional<BlockDevice> backing) {
    this(name, size, unit, backing, new ArrayList<>());
  }

  /** Holds a range of one value; 0 is held too. */
  TinyOverlay fill(long offset, int length, int value) throws IOException {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    write(ByteBuffer.wrap(bytes), offset);
    log.clear();
    return this;
  }

  byte[] content() throws IOException {
    byte[] all = new byte[(int) size];
    read(ByteBuffer.wrap(all), 0);
    return all;
  }

  int units() {
    return held.size();
  }

  @Override
  public ImageInfo info() {
    return ImageInfo.builder("overlay", size, unit).build();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of(Capability.WRITE);
  }

  @Override
  public synchronized void read(ByteBuffer dst, long offset) throws IOException {
    for (long at = offset; dst.hasRemaining(); ) {
      int within = (int) (at % unit);
      int length = Math.min(dst.remaining(), unit - within);
      dst.put(unit(at / unit), within, length);
      at += length;
    }
  }

  private byte[] unit(long index) throws IOException {
    byte[] own = held.get(index);
    if (own != null) {
      return own;
    }
    byte[] below = new byte[unit];
    long start = index * unit;
    if (backing.isPresent() && start < backing.get().size()) {
      int length = (int) Math.min(unit, backing.get().size() - start);
      backing.get().read(ByteBuffer.wrap(below, 0, length), start);
    }
    return below;
  }

  @Override
  public synchronized void write(ByteBuffer src, long offset) throws IOException {
    log.add(name + " write " + offset + "+" + src.remaining());
    if (failWriteAt >= offset && failWriteAt < offset + src.remaining()) {
      throw new IOException("cannot write " + offset);
    }
    for (long at = offset; src.hasRemaining(); ) {
      int within = (int) (at % unit);
      int length = Math.min(src.remaining(), unit - within);
      byte[] bytes = unit(at / unit).clone();
      src.get(bytes, within, length);
      held.put(at / unit, bytes);
      at += length;
    }
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    byte[] now = new byte[(int) length];
    read(ByteBuffer.wrap(now), offset);
    if (leavesZeroes && Arrays.equals(now, new byte[now.length])) {
      return;
    }
    write(ByteBuffer.allocate((int) length), offset);
  }

  @Override
  public void discard(long offset, long length) {
    throw new NonWritableChannelException();
  }

  @Override
  public void flush() throws IOException {
    log.add(name + " flush");
    if (failFlush) {
      throw new IOException("cannot flush");
    }
  }

  @Override
  public synchronized Extent extentAt(long offset, long limit) throws IOException {
    long length = Math.min(limit, unit - offset % unit);
    byte[] own = held.get(offset / unit);
    if (own != null) {
      for (byte b : own) {
        if (b != 0) {
          return Extent.data(offset, length);
        }
      }
      return Extent.zero(offset, length);
    }
    if (backing.isEmpty() || offset >= backing.get().size()) {
      return Extent.hole(offset, length);
    }
    return backing
        .get()
        .extentAt(offset, Math.min(length, backing.get().size() - offset))
        .deeper(1);
  }

  @Override
  public <T> Optional<T> feature(Class<T> type) {
    if (type == Emptying.class) {
      Emptying emptying =
          () -> {
            log.add(name + " empty");
            held.clear();
          };
      return Optional.of(type.cast(emptying));
    }
    if (type == Resizing.class && canResize) {
      Resizing resizing =
          bytes -> {
            log.add(name + " resize " + bytes);
            size = bytes;
          };
      return Optional.of(type.cast(resizing));
    }
    if (type == BackingLink.class) {
      BackingLink changing =
          (other, format) -> {
            link = other.orElse("none") + " " + format.orElse("none");
            log.add(name + " link " + link);
          };
      return Optional.of(type.cast(changing));
    }
    return Optional.empty();
  }

  @Override
  public void close() {}
}
