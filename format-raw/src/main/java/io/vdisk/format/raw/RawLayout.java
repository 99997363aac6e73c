package io.vdisk.format.raw;

import io.vdisk.ImageInfo;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.WritableLayout;
import java.io.IOException;

/** Every guest byte lies at its own offset, and may be written there. */
final class RawLayout implements WritableLayout {
  /** What the engine locks at a time, and zeroes where the host cannot; any power of two does. */
  private static final long UNIT = 1 << 20;

  private final HostFile file;
  private final ImageInfo info;

  RawLayout(HostFile file, long size) {
    this.file = file;
    this.info = ImageInfo.builder(RawFormat.NAME, size, 1).build();
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
}
