package io.vdisk.format.raw;

import io.vdisk.ImageInfo;
import io.vdisk.Limits;
import io.vdisk.feature.Resizing;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.WritableLayout;
import java.io.IOException;
import java.util.Optional;

/** Every guest byte lies at its own offset, and may be written there. */
final class RawLayout implements WritableLayout {
  /** What the engine locks at a time, and zeroes where the host cannot; any power of two does. */
  private static final long UNIT = 1 << 20;

  private final HostFile file;
  private final Limits limits;
  private final boolean writable;
  private volatile ImageInfo info;

  RawLayout(HostFile file, Limits limits, boolean writable) throws IOException {
    this.file = file;
    this.limits = limits;
    this.writable = writable;
    this.info = info(file.size());
  }

  private ImageInfo info(long size) throws IOException {
    limits.checkVirtualSize(size, file.name());
    return ImageInfo.builder(RawFormat.NAME, size, 1).build();
  }

  @Override
  public ImageInfo info() {
    return info;
  }

  @Override
  public Mapping map(long offset, long length) {
    return Mapping.stored(file, offset, length, true);
  }

  @Override
  public long unitStart(long offset) {
    return offset & -UNIT;
  }

  @Override
  public long unitEnd(long offset) {
    return unitStart(offset) + UNIT;
  }

  @Override
  public Allocation allocate(long offset, long length) {
    throw new IllegalStateException("raw data is always written in place");
  }

  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    return file.zero(offset, length, keepSpace) ? length : 0;
  }

  @Override
  public void flush() throws IOException {
    file.flush();
  }

  @Override
  public <T> Optional<T> feature(Class<T> type, Exclusive exclusive) {
    if (type != Resizing.class || !writable) {
      return Optional.empty();
    }
    Resizing resizing = size -> exclusive.<Boolean>call(() -> resize(size));
    return Optional.of(type.cast(resizing));
  }

  /** Sparse where it grows. */
  private boolean resize(long size) throws IOException {
    if (size < 0) {
      throw new IllegalArgumentException("virtual size " + size);
    }
    limits.checkVirtualSize(size, file.name());
    file.resize(size);
    return true;
  }

  @Override
  public void reload() throws IOException {
    info = info(file.size());
  }
}
